//! Decides what products and prices are, and how they are created and changed. Prices can change their amounts.

use purchase_emulator::{Call, Reply, Shared};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Paddle,
    fault::Fault,
    fields::Fields,
    ids,
    money::{Money, Override},
    times::{Duration, Times, text},
};

const TAX_CATEGORIES: [&str; 9] = [
    "digital-goods",
    "ebooks",
    "implementation-services",
    "professional-services",
    "saas",
    "software-programming-services",
    "standard",
    "training-services",
    "website-hosting",
];
const TAX_MODES: [&str; 3] = ["account_setting", "external", "internal"];
const TYPES: [&str; 2] = ["custom", "standard"];
/// The states of what can be archived.
pub(crate) const STATUSES: [&str; 2] = ["active", "archived"];

/// A product.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) times: Times,
    pub(crate) name: String,
    description: Option<String>,
    kind: String,
    tax_category: String,
    image_url: Option<String>,
    custom_data: Option<Map<String, Value>>,
    status: String,
}

impl Product {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "description": self.description, "type": self.kind,
            "tax_category": self.tax_category, "image_url": self.image_url, "custom_data": self.custom_data,
            "status": self.status, "import_meta": null, "created_at": text(self.times.created),
            "updated_at": text(self.times.changed),
        })
    }

    fn change(&mut self, mut fields: Fields) -> Result<(), Fault> {
        let name = fields.text("name", 1, 200);
        let description = fields.nullable("description", 0, 2048);
        let kind = fields.word("type", &TYPES);
        let tax_category = fields.word("tax_category", &TAX_CATEGORIES);
        let image_url = fields.nullable("image_url", 0, 2048);
        let custom_data = fields.read("custom_data");
        let status = fields.word("status", &STATUSES);
        fields.finish(&[])?;
        set(&mut self.name, name);
        set(&mut self.description, description);
        set(&mut self.kind, kind);
        set(&mut self.tax_category, tax_category);
        set(&mut self.image_url, image_url);
        set(&mut self.custom_data, custom_data);
        set(&mut self.status, status);
        Ok(())
    }
}

/// A price.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) times: Times,
    pub(crate) product: String,
    pub(crate) description: String,
    kind: String,
    pub(crate) name: Option<String>,
    pub(crate) billing_cycle: Option<Duration>,
    pub(crate) trial_period: Option<Duration>,
    tax_mode: String,
    pub(crate) unit_price: Money,
    unit_price_overrides: Vec<Override>,
    pub(crate) quantity: Quantity,
    custom_data: Option<Map<String, Value>>,
    pub(crate) status: String,
}

/// How often a price can be bought at once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quantity {
    pub(crate) minimum: u32,
    pub(crate) maximum: u32,
}

impl Price {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id, "product_id": self.product, "description": self.description, "type": self.kind,
            "name": self.name, "billing_cycle": self.billing_cycle, "trial_period": self.trial_period,
            "tax_mode": self.tax_mode, "unit_price": self.unit_price, "unit_price_overrides": self.unit_price_overrides,
            "quantity": self.quantity, "status": self.status, "custom_data": self.custom_data, "import_meta": null,
            "created_at": text(self.times.created), "updated_at": text(self.times.changed),
        })
    }

    fn change(&mut self, mut fields: Fields) -> Result<(), Fault> {
        let description = fields.text("description", 2, 500);
        let kind = fields.word("type", &TYPES);
        let name = fields.nullable("name", 1, 150);
        let billing_cycle: Option<Option<Duration>> = fields.read("billing_cycle");
        let trial_period: Option<Option<Duration>> = fields.read("trial_period");
        let tax_mode = fields.word("tax_mode", &TAX_MODES);
        let unit_price = fields.read("unit_price");
        let unit_price_overrides: Option<Vec<Override>> = fields.read("unit_price_overrides");
        let quantity: Option<Quantity> = fields.read("quantity");
        let status = fields.word("status", &STATUSES);
        let custom_data = fields.read("custom_data");
        if quantity.is_some_and(|it| it.minimum == 0 || it.maximum < it.minimum || it.maximum > 999_999_999) {
            fields.refuse("quantity", "must be between 1 and 999999999, the maximum not below the minimum");
        }
        let too_short = |it: &Option<Option<Duration>>| it.flatten().is_some_and(|it| it.frequency == 0);
        let (cycle_too_short, trial_too_short) = (too_short(&billing_cycle), too_short(&trial_period));
        if unit_price_overrides.as_ref().is_some_and(|it| !it.is_empty()) {
            return Err(Fault::not_emulated("a price for some countries only"));
        }
        fields.finish(&[])?;
        if cycle_too_short {
            let detail = "billing cycle frequency must be at least 1";
            return Err(Fault::price("price_billing_cycle_frequency_below_1", detail));
        }
        if trial_too_short {
            return Err(Fault::price("price_trial_period_frequency_below_1", "trial frequency must be at least 1"));
        }
        let cycle_after = billing_cycle.unwrap_or(self.billing_cycle);
        let trial_after = trial_period.unwrap_or(self.trial_period);
        if trial_after.is_some() && cycle_after.is_none() {
            let detail = "trial period requires billing cycle";
            return Err(Fault::price("price_trial_period_requires_billing_cycle", detail));
        }
        set(&mut self.description, description);
        set(&mut self.kind, kind);
        set(&mut self.name, name);
        (self.billing_cycle, self.trial_period) = (cycle_after, trial_after);
        set(&mut self.tax_mode, tax_mode);
        set(&mut self.unit_price, unit_price);
        set(&mut self.unit_price_overrides, unit_price_overrides);
        set(&mut self.quantity, quantity);
        set(&mut self.status, status);
        set(&mut self.custom_data, custom_data);
        Ok(())
    }
}

/// Replaces a value when there is a new one.
pub(crate) fn set<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}

impl Paddle {
    pub(crate) fn create_product(&mut self, shared: &mut Shared, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        for name in ["name", "tax_category"].into_iter().filter(|name| !fields.has(name)).collect::<Vec<_>>() {
            fields.refuse(name, "must be provided as part of the request");
        }
        refuse_status(&mut fields);
        let mut product = Product {
            id: String::new(),
            times: Times::new(0),
            name: String::new(),
            description: None,
            kind: "standard".to_owned(),
            tax_category: String::new(),
            image_url: None,
            custom_data: None,
            status: "active".to_owned(),
        };
        product.change(fields)?;
        product.times = Times::new(self.tick(shared));
        product.id = ids::id("pro", product.times.created, &mut shared.draw);
        let id = product.id.clone();
        self.products.insert(id.clone(), product);
        self.emit(shared, "product.created", &id);
        Ok(self.shown(201, &id))
    }

    pub(crate) fn create_price(&mut self, shared: &mut Shared, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        for name in ["description", "unit_price"].into_iter().filter(|name| !fields.has(name)).collect::<Vec<_>>() {
            fields.refuse(name, "must be provided as part of the request");
        }
        refuse_status(&mut fields);
        let product: Option<String> = fields.need("product_id");
        let mut price = Price {
            id: String::new(),
            times: Times::new(0),
            product: product.unwrap_or_default(),
            description: String::new(),
            kind: "standard".to_owned(),
            name: None,
            billing_cycle: None,
            trial_period: None,
            tax_mode: "account_setting".to_owned(),
            unit_price: Money::default(),
            unit_price_overrides: Vec::new(),
            // Documented: defaults to 1-100.
            quantity: Quantity { minimum: 1, maximum: 100 },
            custom_data: None,
            status: "active".to_owned(),
        };
        price.change(fields)?;
        if !self.products.contains_key(&price.product) {
            return Err(Fault::not_found(&price.product));
        }
        price.times = Times::new(self.tick(shared));
        price.id = ids::id("pri", price.times.created, &mut shared.draw);
        let id = price.id.clone();
        self.prices.insert(id.clone(), price);
        self.emit(shared, "price.created", &id);
        Ok(self.shown(201, &id))
    }

    pub(crate) fn update_product(&mut self, shared: &mut Shared, id: &str, fields: Fields) -> Result<(), Fault> {
        let mut product = self.products.get(id).cloned().ok_or_else(|| Fault::not_found(id))?;
        product.change(fields)?;
        product.times.changed = self.tick(shared);
        self.products.insert(id.to_owned(), product);
        self.emit(shared, "product.updated", id);
        Ok(())
    }

    pub(crate) fn update_price(&mut self, shared: &mut Shared, id: &str, fields: Fields) -> Result<(), Fault> {
        let mut price = self.prices.get(id).cloned().ok_or_else(|| Fault::not_found(id))?;
        price.change(fields)?;
        price.times.changed = self.tick(shared);
        self.prices.insert(id.to_owned(), price);
        self.emit(shared, "price.updated", id);
        Ok(())
    }
}

/// What is new is active.
fn refuse_status(fields: &mut Fields) {
    if fields.has("status") {
        fields.refuse("status", "additional property is not allowed");
    }
}
