//! Edge of Segue: verifies tokens and serves hot segments from memory.
