//! Source files: what they are, their tags and artwork, and their sound as PCM.
