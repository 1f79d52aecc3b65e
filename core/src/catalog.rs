//! The application's catalogue: which offer a provider's price sells. Without an entry, the price itself is the
//! benefit.
//!
//! ```
//! use purchase_core::{catalog::Catalog, id::OfferId};
//!
//! let catalog = Catalog { prices: [("price_1Pro".to_owned(), OfferId::new("pro:monthly")?)].into() };
//! assert_eq!(catalog.benefit("price_1Pro"), "pro:monthly");
//! assert_eq!(catalog.benefit("price_unknown"), "price_unknown");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::OfferId;

/// The part of the application's catalogue needed to read events: provider price to offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The offer that each of the provider's prices sells, by the price's provider id.
    #[serde(default)]
    pub prices: BTreeMap<String, OfferId>,
}

impl Catalog {
    /// The benefit of a price: its offer, or the price itself where no offer is known.
    pub fn benefit<'a>(&'a self, price: &'a str) -> &'a str {
        self.prices.get(price).map_or(price, OfferId::as_str)
    }
}
