//! Reads a product or a price. Prices that a transaction defines only for itself are not in the catalogue. This module
//! does not know which offer of the application a price belongs to.

use purchase_core::{
    fact::{
        Link,
        object_state::{Interval, IntervalUnit, ObjectState, Price, Product},
    },
    id::ObjectKind,
    provider::ReadFault,
    wire::collect::Collector,
};

use super::Reading;
use crate::wire::{Reads as _, View};

/// `product`.
pub(super) fn product(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Product)?, &reading.object);
    let object_state = ObjectState::Product(Product {
        name: object.at("name").text()?.map(str::to_owned),
        active: is_active(object)?,
        deleted: false,
        bare: false,
    });
    facts.observation(&root, reading.observation(&root, object_state));
    Ok(())
}

/// `price`. Its amount may change under the same id.
pub(super) fn price(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Price)?, &reading.object);
    let currency = object.at("unit_price.currency_code").need_currency()?;
    let object_state = ObjectState::Price(Price {
        active: is_active(object)?,
        unit_amount: Some(object.at("unit_price.amount").need_money(currency)?),
        interval: interval(&object.at("billing_cycle"))?,
        deleted: false,
        bare: false,
    });
    facts.observation(&root, reading.observation(&root, object_state));
    facts.link(&root, object.at("product_id").id()?.map(Link::Product));
    Ok(())
}

/// Only an active object can be sold. Objects of 2023 may lack the status; `active` was then the only one.
fn is_active(object: &View<'_, '_>) -> Result<bool, ReadFault> {
    Ok(matches!(object.at("status").text()?, Some("active") | None))
}

fn interval(cycle: &View<'_, '_>) -> Result<Option<Interval>, ReadFault> {
    let Some(_) = cycle.value()? else { return Ok(None) };
    let unit = match cycle.at("interval").need_text()? {
        "day" => IntervalUnit::Day,
        "week" => IntervalUnit::Week,
        "month" => IntervalUnit::Month,
        "year" => IntervalUnit::Year,
        _ => IntervalUnit::Unknown,
    };
    Ok(Some(Interval { unit, count: cycle.at("frequency").small_count()?.unwrap_or(1) }))
}
