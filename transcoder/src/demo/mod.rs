//! The demo album: pieces composed and synthesised when run.
