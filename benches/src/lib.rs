//! Benchmarks of Segue.
