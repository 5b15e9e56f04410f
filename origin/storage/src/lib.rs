//! Object storage of Segue: folder, S3 and memory behind one trait.
