//! Defines a scenario on disk and refuses everything else with the path, the line and what to do. It does not replay
//! scenarios.

mod expect;
mod folder;

use std::path::PathBuf;

use purchase_core::{catalog::Catalog, delivery::Headers, time::Timestamp};

use crate::schedule::{Schedule, Written};

pub use expect::{Expectation, Expected, Unmet};
pub(crate) use folder::files;
pub use folder::{ScenarioError, find};
pub(crate) use folder::{content, read_text};

/// What a provider sent, in its true order, and what must be true when all of it has arrived.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The folder's name.
    pub name: String,
    /// The folder; empty for a scenario of the kit.
    pub folder: PathBuf,
    /// What happens.
    pub title: String,
    /// The business promise, in one sentence.
    pub proves: String,
    /// The adapter's name.
    pub provider: String,
    /// The provider's API version.
    pub api_version: String,
    /// The origin of its bodies.
    pub origin: Origin,
    /// The signing secret.
    pub secret: String,
    /// The reader's clock at the end.
    pub as_of: Timestamp,
    /// Prices and offers.
    pub catalog: Catalog,
    /// The deliveries that are sent, in their true order. Late ones are at the end.
    pub deliveries: Vec<Recorded>,
    /// The expectations at the end; at least one.
    pub expectations: Vec<Expectation>,
}

/// The origin of a scenario's bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A provider really sent the bodies.
    Recorded,
    /// An emulator of a provider sent the bodies.
    #[serde(alias = "twin")]
    Emulator,
    /// The bodies were written for this project.
    Written,
}

/// One delivery of a scenario.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its number, from its file's name.
    pub number: u32,
    /// The event type in its file's name.
    pub event_type: String,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// The headers, if they were recorded.
    pub headers: Option<Headers>,
    /// Whether it comes after the first read.
    pub late: bool,
}

impl Scenario {
    /// The largest number of deliveries for which every permutation is executed in memory.
    pub const EXHAUSTIVE: usize = 6;
    /// As [`EXHAUSTIVE`](Self::EXHAUSTIVE), on a store that outlives its process.
    pub const EXHAUSTIVE_ON_DISK: usize = 4;
    /// As [`EXHAUSTIVE`](Self::EXHAUSTIVE), on a store behind a server.
    pub const EXHAUSTIVE_ON_SERVER: usize = 3;

    /// Writes a schedule with the deliveries' own numbers.
    pub fn written(&self, schedule: &Schedule) -> Written {
        let numbers: Vec<u32> = self.deliveries.iter().map(|delivery| delivery.number).collect();
        schedule.written(&numbers)
    }

    /// The index of the delivery with a number.
    pub fn index_of(&self, number: u32) -> Option<usize> {
        self.deliveries.iter().position(|delivery| delivery.number == number)
    }
}
