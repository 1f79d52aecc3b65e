//! Products and prices: created and changed. What a price costs never changes.

use purchase_emulator::Shared;

use super::{Answer, expand::Expand, reading::no_such};
use crate::{
    fault::Fault,
    ids,
    params::{MOST_AMOUNT, Params},
    show::Kind,
    state::{Interval, Price, Product, Recurring},
    stripe::Stripe,
};

impl Stripe {
    pub(crate) fn create_product(&mut self, shared: &mut Shared, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (id, name) = (params.text("id")?, params.need_text("name")?);
        let (active, description) = (params.flag("active")?.unwrap_or(true), params.text("description")?);
        let (url, unit_label) = (params.text("url")?, params.text("unit_label")?);
        let metadata = params.metadata()?.new_object();
        params.end()?;
        let id = id.unwrap_or_else(|| ids::short(&mut shared.draw, "prod"));
        if self.products.find(&id).is_some() {
            return Err(Fault::refused(Some("resource_already_exists"), "Product already exists.").on("id"));
        }
        let now = shared.second();
        let product = Product {
            id: id.clone(),
            created: now,
            updated: now,
            active,
            name,
            description,
            metadata,
            url,
            unit_label,
        };
        self.products.add(&id, product);
        self.tell(shared, "product.created", Kind::Product, &id);
        self.shows(Kind::Product, &id, expand)
    }

    pub(crate) fn update_product(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (name, active) = (params.text("name")?, params.flag("active")?);
        let (description, url) = (params.settable("description")?, params.settable("url")?);
        let (unit_label, metadata) = (params.settable("unit_label")?, params.metadata()?);
        params.end()?;
        self.products.find(id).ok_or_else(|| no_such(Kind::Product, id))?;
        let now = shared.second();
        self.changing(shared, "product.updated", (Kind::Product, id), |it, _| {
            let it = it.products.change(id);
            it.name = name.unwrap_or(it.name.clone());
            it.active = active.unwrap_or(it.active);
            it.description = description.unwrap_or(it.description.take());
            it.url = url.unwrap_or(it.url.take());
            it.unit_label = unit_label.unwrap_or(it.unit_label.take());
            metadata.apply(&mut it.metadata);
            it.updated = now;
        });
        self.shows(Kind::Product, id, expand)
    }

    pub(crate) fn create_price(&mut self, shared: &mut Shared, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let currency = params.need_text("currency")?;
        if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_lowercase()) {
            return Err(Fault::invalid(None, "currency", format!("Invalid currency: {currency}.")));
        }
        let (product, unit_amount) = (params.text("product")?, params.int("unit_amount")?);
        let (active, nickname) = (params.flag("active")?.unwrap_or(true), params.text("nickname")?);
        let lookup_key = params.text("lookup_key")?;
        let transfer = params.flag("transfer_lookup_key")?.unwrap_or(false);
        let metadata = params.metadata()?.new_object();
        params.only("billing_scheme", "per_unit")?;
        params.only("tax_behavior", "unspecified")?;
        let recurring = recurring(&mut params)?;
        params.end()?;
        let product = product.ok_or_else(|| Fault::required("product"))?;
        let unit_amount = unit_amount.ok_or_else(|| Fault::required("unit_amount"))?;
        if unit_amount < 0 {
            let message = "This value must be greater than or equal to 0.";
            return Err(Fault::invalid(Some("parameter_invalid_integer"), "unit_amount", message));
        }
        if unit_amount > MOST_AMOUNT {
            return Err(Fault::not_emulated(format!("an amount above {MOST_AMOUNT}")));
        }
        self.products.find(&product).ok_or_else(|| Fault::no_such_in("product", "product", &product))?;
        self.free_lookup_key(shared, lookup_key.as_deref(), transfer, None)?;
        let id = ids::long(&mut shared.draw, "price", &self.account);
        let created = shared.second();
        let price = Price {
            id: id.clone(),
            created,
            active,
            currency,
            unit_amount,
            recurring,
            product,
            lookup_key,
            nickname,
            metadata,
        };
        self.prices.add(&id, price);
        self.tell(shared, "price.created", Kind::Price, &id);
        self.shows(Kind::Price, &id, expand)
    }

    pub(crate) fn update_price(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (active, nickname) = (params.flag("active")?, params.settable("nickname")?);
        let (lookup_key, metadata) = (params.settable("lookup_key")?, params.metadata()?);
        let transfer = params.flag("transfer_lookup_key")?.unwrap_or(false);
        params.end()?;
        self.prices.find(id).ok_or_else(|| no_such(Kind::Price, id))?;
        let wanted = lookup_key.as_ref().and_then(Option::as_deref);
        self.free_lookup_key(shared, wanted, transfer, Some(id))?;
        self.changing(shared, "price.updated", (Kind::Price, id), |it, _| {
            let it = it.prices.change(id);
            it.active = active.unwrap_or(it.active);
            it.nickname = nickname.unwrap_or(it.nickname.take());
            it.lookup_key = lookup_key.unwrap_or(it.lookup_key.take());
            metadata.apply(&mut it.metadata);
        });
        self.shows(Kind::Price, id, expand)
    }

    /// Makes sure that no other price has a lookup key, and takes it away from the price that has it when the call says
    /// so.
    fn free_lookup_key(
        &mut self,
        shared: &mut Shared,
        key: Option<&str>,
        transfer: bool,
        new: Option<&str>,
    ) -> Result<(), Fault> {
        let Some(key) = key else { return Ok(()) };
        if key.len() > 200 {
            return Err(Fault::invalid(None, "lookup_key", "Invalid string: must be at most 200 characters"));
        }
        let holder = self.prices.all().find(|it| it.lookup_key.as_deref() == Some(key) && Some(it.id.as_str()) != new);
        let Some(holder) = holder.map(|it| it.id.clone()) else { return Ok(()) };
        if !transfer {
            let message = format!(
                "A price (`{holder}`) already uses that lookup key. Either use a different key or pass \
                 transfer_lookup_key=true."
            );
            return Err(Fault::refused(Some("resource_already_exists"), message).on("lookup_key"));
        }
        self.changing(shared, "price.updated", (Kind::Price, &holder), |it, _| {
            it.prices.change(&holder).lookup_key = None;
        });
        Ok(())
    }
}

fn recurring(params: &mut Params) -> Result<Option<Recurring>, Fault> {
    let Some(mut recurring) = params.object("recurring")? else { return Ok(None) };
    let interval = match recurring.one_of("interval", &["day", "month", "week", "year"], &[])? {
        Some("day") => Interval::Day,
        Some("month") => Interval::Month,
        Some("week") => Interval::Week,
        Some(_) => Interval::Year,
        None => return Err(Fault::required("recurring[interval]")),
    };
    let count = recurring.int("interval_count")?.unwrap_or(1);
    recurring.only("usage_type", "licensed")?;
    recurring.end()?;
    // Documented: a maximum of three years.
    let most = match interval {
        Interval::Day => 1095,
        Interval::Month => 36,
        Interval::Week => 156,
        Interval::Year => 3,
    };
    match u32::try_from(count) {
        Ok(count) if count > 0 && count <= most => Ok(Some(Recurring { interval, count })),
        _ => {
            let message = format!("Invalid interval_count: must be between 1 and {most}");
            Err(Fault::invalid(Some("parameter_invalid_integer"), "recurring[interval_count]", message))
        }
    }
}
