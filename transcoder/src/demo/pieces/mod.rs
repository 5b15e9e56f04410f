//! The music itself: one file per movement.

mod first_light;
mod lanterns;
mod open_water;
mod paper_boats;
mod tidewater;

pub(super) use first_light::first_light;
pub(super) use lanterns::lanterns;
pub(super) use open_water::open_water;
pub(super) use paper_boats::paper_boats;
pub(super) use tidewater::tidewater;
