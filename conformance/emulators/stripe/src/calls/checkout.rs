//! Checkout sessions: created, expired, their lines.

use purchase_emulator::Shared;
use serde_json::Value;

use super::{
    Answer,
    expand::Expand,
    lists::{Paging, paged},
    reading::no_such,
};
use crate::{
    agenda::Job,
    fault::Fault,
    ids,
    params::Params,
    settings::DAY,
    show::Kind,
    state::{Led, Mode, Session, SessionLine, SessionPayment, SessionStatus, Trial},
    stripe::Stripe,
};

/// The parameters of a session that say what is sold.
struct Sale {
    lines: Vec<SessionLine>,
    currency: String,
}

impl Stripe {
    pub(crate) fn create_session(&mut self, shared: &mut Shared, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let mode = match params.one_of("mode", &["payment", "subscription"], &["setup"])? {
            Some("payment") => Mode::Payment,
            Some(_) => Mode::Subscription,
            None => return Err(Fault::required("mode")),
        };
        params.one_of("ui_mode", &["hosted_page"], &["elements", "embedded_page", "form"])?;
        params.only("payment_method_collection", "always")?;
        let (success_url, cancel_url) = urls(&mut params)?;
        let who = Who::of(&mut params, mode)?;
        let (client_reference_id, locale) = (params.text("client_reference_id")?, params.text("locale")?);
        let metadata = params.metadata()?.new_object();
        let now = shared.second();
        let expires_at = params.int("expires_at")?.unwrap_or(now + DAY);
        // Documented: "It can be anywhere from 30 minutes to 24 hours after Checkout Session creation."
        if !(now + 30 * 60..=now + DAY).contains(&expires_at) {
            let message =
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
            return Err(Fault::invalid(None, "expires_at", message));
        }
        let methods = params.texts("payment_method_types")?;
        let led = led(&mut params, mode, now)?;
        let lines = params.objects("line_items")?;
        let sale = self.sale(shared, mode, lines)?;
        let methods = accepted(methods, &sale.currency)?;
        params.end()?;
        if let Some(customer) = &who.customer {
            self.living_customer(customer).ok_or_else(|| Fault::no_such_in("customer", "customer", customer))?;
        }
        let id = ids::session(&mut shared.draw, self.settings.livemode);
        let mut session = Session {
            id: id.clone(),
            created: now,
            expires_at,
            mode,
            lines: sale.lines,
            currency: sale.currency,
            customer: who.customer,
            customer_email: who.email,
            always_creates_customer: who.always_created,
            buyer: None,
            client_reference_id,
            metadata,
            success_url,
            cancel_url,
            locale,
            led,
            methods,
            status: SessionStatus::Open,
            payment: SessionPayment::Unpaid,
            failed_later: false,
            intent: None,
            subscription: None,
            invoice: None,
        };
        if self.session_total(&session) == 0 {
            session.payment = SessionPayment::NotRequired;
        }
        self.sessions.add(&id, session);
        self.agenda.plan(expires_at, Job::Session { session: id.clone() });
        self.shows(Kind::Session, &id, expand)
    }

    fn sale(&self, shared: &mut Shared, mode: Mode, items: Vec<Params>) -> Result<Sale, Fault> {
        let mut lines: Vec<SessionLine> = Vec::new();
        for mut item in items {
            let (name, price) = (item.name("price"), item.text("price")?);
            let quantity = item.quantity("quantity")?;
            item.clone().end()?;
            let price = price.ok_or_else(|| Fault::required(&name))?;
            let found = self.prices.find(&price).ok_or_else(|| Fault::no_such_in("price", &name, &price))?;
            if !found.active {
                let message =
                    format!("The price specified is inactive. This field only accepts active prices: {price}");
                return Err(Fault::refused(None, message).on(&name));
            }
            let quantity = quantity.ok_or_else(|| Fault::required(&item.name("quantity")))?;
            if quantity < 1 {
                let message = "This value must be greater than or equal to 1.";
                return Err(Fault::invalid(Some("parameter_invalid_integer"), &item.name("quantity"), message));
            }
            let id = ids::long(&mut shared.draw, "li", &self.account);
            lines.push(SessionLine { id, price, quantity });
        }
        let prices: Vec<_> = lines.iter().map(|line| self.prices.at(&line.price)).collect();
        let Some(first) = prices.first() else { return Err(Fault::required("line_items")) };
        let currency = first.currency.clone();
        if prices.iter().any(|price| price.currency != currency) {
            return Err(
                Fault::refused(None, "All prices on a Checkout Session must have the same currency.").on("line_items")
            );
        }
        let mut every: Vec<_> = prices.iter().filter_map(|price| price.recurring).collect();
        every.dedup();
        let message = match (mode, every.len()) {
            (Mode::Payment, 0) | (Mode::Subscription, 1) => return Ok(Sale { lines, currency }),
            (Mode::Payment, _) => {
                "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use \
                 only one-time prices."
            }
            (Mode::Subscription, 0) => {
                "You must provide at least one recurring price in `subscription` mode when using prices."
            }
            (Mode::Subscription, _) => {
                return Err(Fault::not_emulated("prices with different intervals in one subscription"));
            }
        };
        Err(Fault::refused(None, message).on("mode"))
    }

    pub(crate) fn expire(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        params.end()?;
        let session = self.sessions.find(id).ok_or_else(|| no_such(Kind::Session, id))?;
        if session.status != SessionStatus::Open {
            let message = format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status \
                 of `{}`.",
                session.status.as_str()
            );
            return Err(Fault::refused(None, message).on("session"));
        }
        self.expire_session(shared, id);
        self.shows(Kind::Session, id, expand)
    }

    pub(crate) fn session_lines(&self, id: &str, mut params: Params) -> Answer {
        let (expand, paging) = (Expand::of(&mut params)?, Paging::of(&mut params)?);
        params.end()?;
        let session = self.sessions.find(id).ok_or_else(|| no_such(Kind::Session, id))?;
        let lines: Vec<Value> = session.lines.iter().map(|line| self.show_session_line(line)).collect();
        let (page, has_more) = paging.cut(&lines, "line_item")?;
        let url = format!("/v1/checkout/sessions/{id}/line_items");
        Ok(paged((self.expanded_items(page, &expand)?, has_more), &url))
    }
}

/// What a call says about the buyer.
struct Who {
    customer: Option<String>,
    email: Option<String>,
    always_created: bool,
}

impl Who {
    fn of(params: &mut Params, mode: Mode) -> Result<Self, Fault> {
        let (customer, email) = (params.text("customer")?, params.text("customer_email")?);
        if customer.is_some() && email.is_some() {
            let message = "You may only specify one of these parameters: customer, customer_email.";
            return Err(Fault::invalid(None, "customer", message));
        }
        let creation = params.one_of("customer_creation", &["always", "if_required"], &[])?;
        if creation.is_some() && (mode == Mode::Subscription || customer.is_some()) {
            let message = "`customer_creation` can only be used in `payment` mode without a customer.";
            return Err(Fault::invalid(None, "customer_creation", message));
        }
        Ok(Self { customer, email, always_created: creation == Some("always") })
    }
}

/// Where the buyer goes afterwards.
fn urls(params: &mut Params) -> Result<(String, Option<String>), Fault> {
    let (success_url, cancel_url) = (params.need_text("success_url")?, params.text("cancel_url")?);
    for (name, url) in [("success_url", Some(&success_url)), ("cancel_url", cancel_url.as_ref())] {
        if url.is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(Fault::invalid(Some("url_invalid"), name, "Not a valid URL"));
        }
    }
    Ok((success_url, cancel_url))
}

/// What the session says about the payment intent or the subscription that it leads to.
fn led(params: &mut Params, mode: Mode, now: i64) -> Result<Led, Fault> {
    let (name, other) = match mode {
        Mode::Payment => ("payment_intent_data", "subscription_data"),
        Mode::Subscription => ("subscription_data", "payment_intent_data"),
    };
    if params.object(other)?.is_some() {
        let message = format!("You can not pass `{other}` in `{}` mode.", mode.as_str());
        return Err(Fault::invalid(None, other, message));
    }
    let Some(mut data) = params.object(name)? else { return Ok(Led::default()) };
    let metadata = data.metadata()?.new_object();
    let description = data.text("description")?;
    let (days, until) = match mode {
        Mode::Payment => (None, None),
        Mode::Subscription => (data.int("trial_period_days")?, data.int("trial_end")?),
    };
    let trial = match (days, until) {
        (None, None) => None,
        // Documented: "Has to be at least 1", and for `trial_end` at least 48 hours in the future.
        (Some(days), None) if (1..=730).contains(&days) => Some(Trial::Days(days)),
        (None, Some(until)) if until >= now + 2 * DAY => Some(Trial::Until(until)),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: trial_end, trial_period_days.";
            return Err(Fault::invalid(None, "subscription_data[trial_end]", message));
        }
        (Some(_), None) => {
            return Err(Fault::invalid(None, "subscription_data[trial_period_days]", "Invalid number of days."));
        }
        (None, Some(_)) => {
            let message = "The `trial_end` date has to be at least 2 days in the future.";
            return Err(Fault::invalid(None, "subscription_data[trial_end]", message));
        }
    };
    data.end()?;
    Ok(Led { metadata, description, trial })
}

/// The types of payment methods that a session accepts. SEPA debits are in euros.
fn accepted(wanted: Vec<String>, currency: &str) -> Result<Vec<String>, Fault> {
    if let Some(other) = wanted.iter().find(|it| !matches!(it.as_str(), "card" | "sepa_debit")) {
        return Err(Fault::not_emulated(format!("payment_method_types[] {other}")));
    }
    if wanted.iter().any(|it| it == "sepa_debit") && currency != "eur" {
        let message = "The currency must be eur for the payment method type sepa_debit.";
        return Err(Fault::refused(None, message).on("payment_method_types"));
    }
    Ok(match (wanted.is_empty(), currency) {
        (false, _) => wanted,
        (true, "eur") => vec!["card".to_owned(), "sepa_debit".to_owned()],
        (true, _) => vec!["card".to_owned()],
    })
}
