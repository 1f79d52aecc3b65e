//! Reads ids and amounts in Lemon Squeezy's format. Core reads everything else of a body.

pub(crate) use purchase_core::wire::{Remarks, View, parse};
use purchase_core::{
    id::ProviderId,
    money::{Currency, Money},
    provider::ReadFault,
};
use serde_json::Value;

/// The expected form of an id.
const ID: &str = "id, a string or an unsigned integer";

/// Reads an id: a text in `data.id`, a whole number elsewhere. The digits are the same.
pub(crate) fn id(place: &View<'_, '_>) -> Result<Option<ProviderId>, ReadFault> {
    let text = match place.value()? {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(place.fault(ID)),
    };
    place.id_from(&text, |text| ProviderId::new(text)).map(Some)
}

/// Reads a required id.
pub(crate) fn need_id(place: &View<'_, '_>) -> Result<ProviderId, ReadFault> {
    id(place)?.ok_or_else(|| place.fault(ID))
}

/// The expected form of an amount.
const MINOR: &str = "unsigned integer of minor units";

/// Reads an amount in whole minor units, never negative.
pub(crate) fn money(place: &View<'_, '_>, currency: Currency) -> Result<Option<Money>, ReadFault> {
    match place.whole(MINOR)? {
        None => Ok(None),
        Some(minor) if minor < 0 => Err(place.fault(MINOR)),
        Some(minor) => place.money_of(minor, currency).map(Some),
    }
}

/// Reads a required amount.
pub(crate) fn need_money(place: &View<'_, '_>, currency: Currency) -> Result<Money, ReadFault> {
    money(place, currency)?.ok_or_else(|| place.fault(MINOR))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_texts_and_whole_numbers() {
        let check = |value: Value, expect: Result<Option<&str>, &str>| {
            let body = json!({ "a": value });
            let found = id(&View::root(&body).at("a")).map_err(|fault| fault.to_string());
            let found = found.map(|id| id.map(|id| id.expose().to_owned()));
            assert_eq!(found, expect.map(|id| id.map(str::to_owned)).map_err(str::to_owned), "{body}");
        };
        check(json!("70"), Ok(Some("70")));
        check(json!(70), Ok(Some("70")));
        check(json!(null), Ok(None));
        check(json!(7.5), Err("a: expected id, a string or an unsigned integer, found fraction"));
        check(json!(-7), Err("a: expected id, a string or an unsigned integer, found negative integer"));
        check(json!(1e20), Err("a: expected id, a string or an unsigned integer, found number beyond 64 bits"));
        check(json!(""), Err("a: expected id of at least 1 byte, found an empty string"));
    }

    #[test]
    fn amounts_are_whole_minor_units() {
        let eur = Currency::new("EUR").expect("a currency");
        let check = |value: Value, expect: Result<Option<i64>, &str>| {
            let body = json!({ "a": value });
            let found = money(&View::root(&body).at("a"), eur).map_err(|fault| fault.to_string());
            let found = found.map(|money| money.map(|money| money.minor()));
            assert_eq!(found, expect.map_err(str::to_owned), "{body}");
        };
        check(json!(1199), Ok(Some(1199)));
        check(json!(null), Ok(None));
        check(json!(11.99), Err("a: expected unsigned integer of minor units, found fraction"));
        check(json!(-1), Err("a: expected unsigned integer of minor units, found negative integer"));
        check(json!("1199"), Err("a: expected unsigned integer of minor units, found string"));
        check(json!("1e999"), Err("a: expected unsigned integer of minor units, found string"));
        let above = "a: expected integer minor units within 2^53, found an amount above that range";
        check(json!(1_u64 << 53), Err(above));
        check(json!(u64::MAX), Err(above));
    }
}
