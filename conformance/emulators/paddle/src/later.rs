//! Adds the fields that Paddle has had since its OpenAPI document of 2025-05-27. Its Python SDK 1.16.1 can't read answers
//! without them; events of 2026-04 have them.

use serde_json::{Value, json};

use crate::Paddle;

/// Where amounts were added: there is no tax, and Paddle retains no fee.
const AMOUNTS: [(&str, &str); 6] = [
    ("/details/totals", "grand_total_tax"),
    ("/details/adjusted_totals", "grand_total_tax"),
    ("/details/adjusted_totals", "retained_fee"),
    ("/details/payout_totals", "grand_total_tax"),
    ("/totals", "retained_fee"),
    ("/payout_totals", "retained_fee"),
];

impl Paddle {
    /// An object with its later fields, if the account has them.
    pub(crate) fn dated(&self, mut view: Value) -> Value {
        if self.account.later_fields {
            for (place, name) in AMOUNTS {
                if let Some(totals) = view.pointer_mut(place).filter(|it| it.is_object()) {
                    totals[name] = json!("0");
                }
            }
            if view.get("scheduled_change").is_some() {
                view["consent_requirements"] = json!([]);
            }
        }
        view
    }
}
