//! Adds the fields that Paddle has had since its OpenAPI document of 2025-05-27. Its Python SDK 1.16.1 can't read answers
//! without them; events of 2026-04 have them.

use serde_json::{Value, json};

use crate::Paddle;

/// What was added where: there is no tax, Paddle retains no fee, and pays out in the transaction's currency.
const ADDED: [(&str, &str, &str); 8] = [
    ("/details/totals", "grand_total_tax", "0"),
    ("/details/adjusted_totals", "grand_total_tax", "0"),
    ("/details/adjusted_totals", "retained_fee", "0"),
    ("/details/payout_totals", "grand_total_tax", "0"),
    ("/details/payout_totals", "exchange_rate", "1"),
    ("/details/payout_totals", "fee_rate", "0.05"),
    ("/totals", "retained_fee", "0"),
    ("/payout_totals", "retained_fee", "0"),
];

impl Paddle {
    /// An object with its later fields, if the account has them.
    pub(crate) fn dated(&self, mut view: Value) -> Value {
        if self.account.later_fields {
            for (place, name, value) in ADDED {
                if let Some(totals) = view.pointer_mut(place).filter(|it| it.is_object()) {
                    totals[name] = json!(value);
                }
            }
            if view.get("scheduled_change").is_some() {
                view["consent_requirements"] = json!([]);
            }
        }
        view
    }
}
