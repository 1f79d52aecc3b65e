//! Decides how Lemon Squeezy writes its ids and amounts. Everything else of how a body is read is core's.

pub(crate) use purchase_core::wire::{View, parse};
use purchase_core::{
    id::ProviderId,
    money::{Currency, Money},
    provider::ReadFault,
};
use serde_json::Value;

/// An id: a text in `data.id`, a whole number wherever else it is named. The digits are the same.
pub(crate) fn id(place: &View<'_, '_>) -> Result<Option<ProviderId>, ReadFault> {
    let text = match place.value()? {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(place.fault("id")),
    };
    place.id_from(&text, |text| ProviderId::new(text)).map(Some)
}

/// The id that must be here.
pub(crate) fn need_id(place: &View<'_, '_>) -> Result<ProviderId, ReadFault> {
    id(place)?.ok_or_else(|| place.fault("id"))
}

/// An amount in whole minor units, never negative.
pub(crate) fn money(place: &View<'_, '_>, currency: Currency) -> Result<Option<Money>, ReadFault> {
    let Some(minor) = place.count()? else { return Ok(None) };
    let minor = i64::try_from(minor).map_err(|_| place.fault("integer minor units within 2^53"))?;
    place.money_of(minor, currency).map(Some)
}

/// The amount that must be here.
pub(crate) fn need_money(place: &View<'_, '_>, currency: Currency) -> Result<Money, ReadFault> {
    money(place, currency)?.ok_or_else(|| place.fault("unsigned integer"))
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
        check(json!(7.5), Err("a: expected id, found fraction"));
        check(json!(-7), Err("a: expected id, found integer"));
        check(json!(""), Err("a: expected id without control characters, found string"));
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
        check(json!(11.99), Err("a: expected unsigned integer, found fraction"));
        check(json!("1199"), Err("a: expected unsigned integer, found string"));
        check(json!(1_u64 << 53), Err("a: expected integer minor units within 2^53, found integer"));
        check(json!(u64::MAX), Err("a: expected integer minor units within 2^53, found integer"));
    }
}
