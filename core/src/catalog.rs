//! Decides which offer a provider's price sells. Without a catalogue the price stands for itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::OfferId;

/// The application's catalogue, as far as reading events needs it: provider price to offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The offer that each of the provider's prices sells, by the price's provider id.
    #[serde(default)]
    pub prices: BTreeMap<String, OfferId>,
}

impl Catalog {
    /// What a price sells: its offer, or the price itself where no offer is known.
    pub fn benefit<'a>(&'a self, price: &'a str) -> &'a str {
        self.prices.get(price).map_or(price, OfferId::as_str)
    }
}
