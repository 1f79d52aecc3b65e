//! Reads a product or a price. The older `plan.*` events are counterparts of `price.*` and contain nothing more. This
//! module does not know which offer of the application a price belongs to.

use purchase_core::{
    fact::{
        Link,
        object_state::{Interval, IntervalUnit, ObjectState, Price, Product},
    },
    id::ObjectKind,
    provider::ReadFault,
    wire::collect::Collector,
};

use super::{Moment, Reading};
use crate::wire::{Reads as _, View};

/// `product`.
pub(super) fn product(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Product)?;
    facts.observation(&root, reading.observation(&root, state_of_product)?);
    facts.belongs(&root, &reading.attribution()?);
    Ok(())
}

/// `price`.
pub(super) fn price(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Price)?;
    facts.observation(&root, reading.observation(&root, state_of_price)?);
    facts.belongs(&root, &reading.attribution()?);
    facts.link(&root, reading.object.at("product").id()?.map(Link::Product));
    Ok(())
}

fn state_of_product(view: &View<'_, '_>, moment: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let tombstone = view.at("deleted").flag()?.unwrap_or(false);
    let bare = tombstone && !view.has_key("active");
    Ok(ObjectState::Product(Product {
        name: view.at("name").text()?.map(str::to_owned),
        active: if bare { false } else { view.at("active").need_flag()? },
        deleted: tombstone || moment.is_end(),
        bare,
    }))
}

fn state_of_price(view: &View<'_, '_>, moment: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let tombstone = view.at("deleted").flag()?.unwrap_or(false);
    let bare = tombstone && !view.has_key("active");
    let unit_amount = match view.at("unit_amount") {
        // The amount is null if it is a fraction of the minor unit, or if the price has tiers.
        amount if amount.is_there() => amount.money(view.at("currency").need_currency()?)?,
        _ => None,
    };
    Ok(ObjectState::Price(Price {
        active: if bare { false } else { view.at("active").need_flag()? },
        unit_amount,
        interval: interval(&view.at("recurring"))?,
        deleted: tombstone || moment.is_end(),
        bare,
    }))
}

fn interval(recurring: &View<'_, '_>) -> Result<Option<Interval>, ReadFault> {
    let Some(_) = recurring.value()? else { return Ok(None) };
    let unit = match recurring.at("interval").need_text()? {
        "day" => IntervalUnit::Day,
        "week" => IntervalUnit::Week,
        "month" => IntervalUnit::Month,
        "year" => IntervalUnit::Year,
        _ => IntervalUnit::Unknown,
    };
    Ok(Some(Interval { unit, count: recurring.at("interval_count").small_count()?.unwrap_or(1) }))
}
