//! `expand[]`: ids that are replaced by their objects. A part of Stripe's is emulated.

use serde_json::Value;

use super::Answer;
use crate::{
    fault::Fault,
    params::Params,
    show::{Kind, list},
    state::Session,
    stripe::Stripe,
};

/// The paths that a call asks to expand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expand(Vec<String>);

impl Expand {
    /// Takes `expand[]` from a call's parameters.
    pub(crate) fn of(params: &mut Params) -> Result<Self, Fault> {
        let paths = params.texts("expand")?;
        for path in &paths {
            // Documented: at most four levels.
            if path.split('.').filter(|part| *part != "data").count() > 4 {
                return Err(Fault::invalid(None, "expand", "You cannot expand more than 4 levels of a property."));
            }
        }
        Ok(Self(paths))
    }

    /// The paths below `data` of a list.
    fn of_items(&self) -> Result<Self, Fault> {
        let below = |path: &String| path.strip_prefix("data.").map(str::to_owned).ok_or_else(|| unexpandable(path));
        Ok(Self(self.0.iter().map(below).collect::<Result<_, _>>()?))
    }
}

/// The kind of object that a field names.
fn kind_of(field: &str) -> Option<Kind> {
    Some(match field {
        "charge" | "latest_charge" => Kind::Charge,
        "customer" => Kind::Customer,
        "default_payment_method" | "payment_method" => Kind::Method,
        "invoice" | "latest_invoice" => Kind::Invoice,
        "payment_intent" => Kind::Intent,
        "price" => Kind::Price,
        "product" => Kind::Product,
        "subscription" => Kind::Subscription,
        _ => return None,
    })
}

impl Stripe {
    /// An object with what a call asks to expand.
    pub(crate) fn expanded(&self, mut object: Value, expand: Expand) -> Answer {
        for path in &expand.0 {
            let parts: Vec<&str> = path.split('.').collect();
            self.expand(&mut object, &parts, path)?;
        }
        Ok(object)
    }

    /// The same for each object of a list.
    pub(crate) fn expanded_items(&self, items: Vec<Value>, expand: &Expand) -> Result<Vec<Value>, Fault> {
        let below = expand.of_items()?;
        items.into_iter().map(|item| self.expanded(item, below.clone())).collect()
    }

    fn expand(&self, object: &mut Value, parts: &[&str], whole: &str) -> Result<(), Fault> {
        let Some((field, rest)) = parts.split_first() else { return Ok(()) };
        if let Value::Array(items) = object {
            return match *field {
                "data" => items.iter_mut().try_for_each(|item| self.expand(item, rest, whole)),
                _ => Err(unexpandable(whole)),
            };
        }
        if object.is_null() {
            return Ok(());
        }
        self.include(object, field);
        let Some(found) = object.get_mut(*field) else { return Err(unexpandable(whole)) };
        match found {
            Value::Array(_) if *field == "data" => self.expand_all(found, rest, whole),
            Value::Object(_) => self.expand(found, rest, whole),
            Value::Null if kind_of(field).is_some() => Ok(()),
            Value::String(id) => {
                let Some(kind) = kind_of(field) else { return Err(not_emulated(field, whole)) };
                *found = self.show(kind, id).ok_or_else(|| not_emulated(field, whole))?;
                self.expand(found, rest, whole)
            }
            Value::Null => Err(not_emulated(field, whole)),
            _ => Err(unexpandable(whole)),
        }
    }

    fn expand_all(&self, items: &mut Value, rest: &[&str], whole: &str) -> Result<(), Fault> {
        let Value::Array(items) = items else { return Ok(()) };
        items.iter_mut().try_for_each(|item| self.expand(item, rest, whole))
    }

    /// Adds a list that an object has only when it is expanded.
    fn include(&self, object: &mut Value, field: &str) {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        let included = match (object["object"].as_str().unwrap_or_default(), field) {
            ("checkout.session", "line_items") => self.sessions.find(&id).map(|it| self.line_items(it)),
            ("invoice", "payments") => {
                let payments = self.invoice_payments.all().filter(|it| it.invoice == id);
                let payments = payments.map(|it| self.show_invoice_payment(it)).collect();
                Some(list(payments, format!("/v1/invoice_payments?invoice={id}")))
            }
            ("charge", "refunds") => {
                let refunds = self.refunds.all().rev().filter(|it| it.charge == id);
                let refunds = refunds.map(|it| self.show_refund(it)).collect();
                Some(list(refunds, format!("/v1/charges/{id}/refunds")))
            }
            _ => None,
        };
        if let Some(included) = included {
            object[field] = included;
        }
    }

    fn line_items(&self, it: &Session) -> Value {
        let lines = it.lines.iter().map(|line| self.show_session_line(line)).collect();
        list(lines, format!("/v1/checkout/sessions/{}/line_items", it.id))
    }
}

fn unexpandable(path: &str) -> Fault {
    Fault::invalid(None, "expand", format!("This property cannot be expanded ({path})."))
}

fn not_emulated(field: &str, path: &str) -> Fault {
    Fault::not_emulated(format!("expand[] of {field} ({path})"))
}
