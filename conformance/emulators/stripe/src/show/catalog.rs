//! How products and prices look.

use serde_json::{Value, json};

use crate::{
    state::{Price, Product},
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn show_product(&self, it: &Product) -> Value {
        json!({
            "id": it.id, "object": "product", "active": it.active, "created": it.created, "default_price": null,
            "description": it.description, "images": [], "livemode": self.settings.livemode, "marketing_features": [],
            "metadata": it.metadata, "name": it.name, "package_dimensions": null, "shippable": null,
            "statement_descriptor": null, "tax_code": null, "unit_label": it.unit_label, "updated": it.updated,
            "url": it.url,
        })
    }

    pub(crate) fn show_price(&self, it: &Price) -> Value {
        let recurring = it.recurring.map(|every| {
            json!({
                "interval": every.interval.as_str(), "interval_count": every.count, "meter": null,
                "usage_type": "licensed",
            })
        });
        json!({
            "id": it.id, "object": "price", "active": it.active, "billing_scheme": "per_unit", "created": it.created,
            "currency": it.currency, "custom_unit_amount": null, "livemode": self.settings.livemode,
            "lookup_key": it.lookup_key, "metadata": it.metadata, "nickname": it.nickname, "product": it.product,
            "type": if recurring.is_some() { "recurring" } else { "one_time" }, "recurring": recurring,
            "tax_behavior": "unspecified", "tiers_mode": null, "transform_quantity": null,
            "unit_amount": it.unit_amount, "unit_amount_decimal": it.unit_amount.to_string(),
        })
    }

    /// The name of a price's product.
    pub(crate) fn product_name(&self, price: &str) -> &str {
        &self.products.at(&self.prices.at(price).product).name
    }
}
