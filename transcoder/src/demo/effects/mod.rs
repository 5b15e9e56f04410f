//! Effects: width, movement, echo and room.

pub(crate) mod chorus;
pub(crate) mod echo;
pub(crate) mod room;
