//! The pages that people see: the checkout page, and the billing portal. They work without a script.

use maud::{DOCTYPE, Markup, html};
use purchase_core::transport::Method;
use purchase_emulator::{Call, Reply, Shared};

use crate::{
    cards::TestMethod,
    deeds::checkout::{Buyers, Outcome},
    state::{Buyer, Session, SessionStatus, Subscription},
    stripe::Stripe,
};

impl Stripe {
    /// Answers a browser.
    pub(crate) fn page(&mut self, shared: &mut Shared, call: &Call<'_>) -> Reply {
        match (call.method, call.segments().as_slice()) {
            (Method::Get, ["c", "pay", id]) => self.checkout_page(id, None),
            (Method::Post, ["c", "pay", id]) => self.submit_page(shared, id, &Fields::of(call)),
            (Method::Get, ["p", "session", secret]) => self.portal_page(secret),
            (Method::Post, ["p", "session", secret]) => self.submit_portal(shared, secret, &Fields::of(call)),
            _ => Reply::html(404, whole("Not found", &html! { p { "There is no such page." } })),
        }
    }

    fn checkout_page(&self, id: &str, problem: Option<&str>) -> Reply {
        let Some(session) = self.sessions.find(id) else { return gone("There is no such checkout.") };
        match session.status {
            SessionStatus::Open => {
                let status = if problem.is_some() { 402 } else { 200 };
                Reply::html(status, whole(&self.settings.account_name, &self.checkout_form(session, problem)))
            }
            // A second submission, or a reload.
            SessionStatus::Complete => onward(session),
            SessionStatus::Expired => gone("This checkout has expired."),
        }
    }

    fn checkout_form(&self, session: &Session, problem: Option<&str>) -> Markup {
        let accepted = |it: &&TestMethod| session.methods.iter().any(|method| method == it.kind());
        html! {
            h1 { (self.settings.account_name) }
            ul {
                @for line in &session.lines {
                    @let price = self.prices.at(&line.price);
                    li { (line.quantity) " × " (self.product_name(&line.price)) ": " (money(price.unit_amount * line.quantity, &session.currency)) }
                }
            }
            p { "Due now: " strong { (money(self.session_total(session), &session.currency)) } }
            @if let Some(problem) = problem { p role="alert" { (problem) } }
            form method="post" {
                p { label { "E-mail " input type="email" name="email" required value=(self.session_email(session).unwrap_or_default()); } }
                p { label { "Name " input type="text" name="name"; } }
                fieldset {
                    legend { "Payment method" }
                    @for method in TestMethod::ALL.iter().filter(accepted) {
                        p { label {
                            input type="radio" name="method" value=(method.as_str()) checked[*method == TestMethod::Visa];
                            " " (method.label())
                        } }
                    }
                }
                button type="submit" { "Pay" }
            }
            @if let Some(back) = &session.cancel_url { p { a href=(back) { "Back" } } }
        }
    }

    fn submit_page(&mut self, shared: &mut Shared, id: &str, fields: &Fields) -> Reply {
        let Some(method) = TestMethod::parse(fields.get("method").unwrap_or("visa")) else {
            return self.checkout_page(id, Some("There is no such payment method."));
        };
        let authenticates = match fields.get("authentication") {
            Some("succeeds") => Some(true),
            Some(_) => Some(false),
            None => None,
        };
        let text = |name: &str| fields.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let buyer = Buyer { email: text("email"), name: text("name") };
        match self.submit(shared, id, Buyers { method, buyer, authenticates }) {
            Err(_) => self.checkout_page(id, Some("This payment method is not accepted.")),
            Ok(Outcome::Declined(decline)) => self.checkout_page(id, Some(decline.message())),
            Ok(Outcome::NeedsAuthentication) => Reply::html(200, whole("3-D Secure", &authentication(fields, method))),
            Ok(Outcome::Complete) => onward(self.sessions.at(id)),
        }
    }

    fn portal_page(&self, secret: &str) -> Reply {
        let Some(portal) = self.portals.all().find(|it| it.secret == secret) else {
            return gone("There is no such portal session.");
        };
        let own = self.subscriptions.all().filter(|it| it.customer == portal.customer);
        let page = html! {
            h1 { "Subscriptions at " (self.settings.account_name) }
            @for it in own { (self.portal_entry(it)) }
            @if let Some(back) = &portal.return_url { p { a href=(back) { "Back" } } }
        };
        Reply::html(200, whole("Billing portal", &page))
    }

    fn portal_entry(&self, it: &Subscription) -> Markup {
        html! {
            section {
                @for item in &it.items { p { (item.quantity) " × " (self.product_name(&item.price)) } }
                p { "Status: " (it.status.as_str()) @if it.cancel_at_period_end && !it.is_over() { ", ends with the period" } }
                @if !it.is_over() {
                    form method="post" {
                        input type="hidden" name="subscription" value=(it.id);
                        @if it.cancel_at_period_end {
                            button type="submit" name="do" value="renew" { "Don't cancel" }
                        } @else {
                            button type="submit" name="do" value="cancel" { "Cancel at the end of the period" }
                        }
                    }
                }
            }
        }
    }

    fn submit_portal(&mut self, shared: &mut Shared, secret: &str, fields: &Fields) -> Reply {
        let customer = self.portals.all().find(|it| it.secret == secret).map(|it| it.customer.clone());
        let Some(customer) = customer else { return gone("There is no such portal session.") };
        let id = fields.get("subscription").unwrap_or_default();
        let own = self.subscriptions.find(id).is_some_and(|it| it.customer == customer && !it.is_over());
        let ends = match fields.get("do") {
            Some("cancel") if own => true,
            Some("renew") if own => false,
            _ => return gone("There is no such subscription."),
        };
        let now = shared.second();
        let target = (crate::show::Kind::Subscription, id);
        self.changing(shared, "customer.subscription.updated", target, |it, _| it.schedule_end(now, id, ends));
        Reply::redirect(&format!("/p/session/{secret}"))
    }
}

/// The fields of a submitted form.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(call: &Call<'_>) -> Self {
        Self(url::form_urlencoded::parse(call.body).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// The bank's page: the buyer authenticates or fails to. It sends the same form again, with the result.
fn authentication(fields: &Fields, method: TestMethod) -> Markup {
    html! {
        h1 { "3-D Secure" }
        form method="post" {
            input type="hidden" name="email" value=(fields.get("email").unwrap_or_default());
            input type="hidden" name="name" value=(fields.get("name").unwrap_or_default());
            input type="hidden" name="method" value=(method.as_str());
            button type="submit" name="authentication" value="succeeds" { "Complete" }
            " "
            button type="submit" name="authentication" value="fails" { "Fail" }
        }
    }
}

/// Sends the buyer of a complete session back to the application.
fn onward(session: &Session) -> Reply {
    Reply::redirect(&session.success_url.replace("{CHECKOUT_SESSION_ID}", &session.id))
}

fn gone(what: &str) -> Reply {
    Reply::html(404, whole("Not found", &html! { p { (what) } }))
}

fn whole(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } }
            body { main { (body) } }
        }
    };
    page.into_string()
}

/// An amount in minor units as a page shows it. Stripe's currencies without decimals are shown with two all the same.
fn money(amount: i64, currency: &str) -> String {
    format!("{}.{:02} {}", amount / 100, amount % 100, currency.to_uppercase())
}
