//! Decides what a portal session is, and what its page does. It ends subscriptions with their period.

use maud::{Markup, html};
use purchase_core::transport::Method;
use purchase_emulator::{Call, Reply, Shared};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Paddle, fault::Fault, fields::Fields, ids, pages::page, query::Query, subscription::Status,
    subscriptions::EffectiveFrom, times,
};

/// A session of the portal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PortalSession {
    customer: String,
    token: String,
}

impl Paddle {
    pub(crate) fn create_portal_session(
        &mut self,
        shared: &mut Shared,
        customer: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        let subscriptions: Option<Vec<String>> = fields.read("subscription_ids");
        let subscriptions = subscriptions.unwrap_or_default();
        if subscriptions.len() > 25 {
            fields.refuse("subscription_ids", "must have at most 25 items");
        }
        fields.finish(&[])?;
        if !self.customers.contains_key(customer) {
            return Err(Fault::not_found(customer));
        }
        let of_customer = |id: &String| self.subscriptions.get(id).is_some_and(|it| it.customer == customer);
        if let Some(id) = subscriptions.iter().find(|id| !of_customer(id)) {
            return Err(Fault::not_found(id));
        }
        let at = self.tick(shared);
        let id = ids::id("cpls", at, &mut shared.draw);
        let token = format!("pga_{}", hex::encode(shared.draw.bytes()));
        let link = |action: &str| format!("{}/portal/{id}?action={action}&token={token}", self.account.base_url);
        let links = subscriptions.iter().map(|subscription| {
            json!({
                "id": subscription,
                "cancel_subscription": format!("{}&subscription_id={subscription}", link("cancel_subscription")),
                "update_subscription_payment_method":
                    format!("{}&subscription_id={subscription}", link("update_subscription_payment_method")),
            })
        });
        let data = json!({
            "id": id, "customer_id": customer, "created_at": times::text(at),
            "urls": { "general": { "overview": link("overview") }, "subscriptions": links.collect::<Vec<_>>() },
        });
        self.portal_sessions.insert(id, PortalSession { customer: customer.to_owned(), token });
        Ok(Reply::json(201, &json!({ "data": data })))
    }

    /// The page of a session. A form ends a subscription with its period.
    pub(crate) fn portal(&mut self, shared: &mut Shared, id: &str, call: &Call<'_>) -> Reply {
        let token = Query::of(call).read("token").unwrap_or_default();
        let session = self.portal_sessions.get(id).filter(|it| it.token == token).cloned();
        let Some(session) = session else {
            return Reply::html(403, page("Portal", &html! { p { "This link is not valid." } }));
        };
        let mut said = None;
        if call.method == Method::Post {
            let form: Vec<(String, String)> = url::form_urlencoded::parse(call.body).into_owned().collect();
            let subscription = form.iter().find(|(name, _)| name == "subscription_id").map_or("", |(_, id)| id);
            said = Some(self.end_from_portal(shared, &session, subscription));
        }
        Reply::html(200, page("Your subscriptions", &self.overview(&session, &token, said.as_deref())))
    }

    fn end_from_portal(&mut self, shared: &mut Shared, session: &PortalSession, id: &str) -> String {
        let belongs = self.subscriptions.get(id).is_some_and(|it| it.customer == session.customer);
        let result = match belongs {
            true => self.cancel(shared, id, Some(EffectiveFrom::NextBillingPeriod)),
            false => Err(Fault::not_found(id)),
        };
        match result {
            Ok(()) => "The subscription ends with its period.".to_owned(),
            Err(fault) => fault.to_string(),
        }
    }

    fn overview(&self, session: &PortalSession, token: &str, said: Option<&str>) -> Markup {
        let subscriptions = self.subscriptions.values().filter(|it| it.customer == session.customer);
        html! {
            @if let Some(said) = said { p role="status" { strong { (said) } } }
            @for it in subscriptions {
                section {
                    h2 { @for item in &it.items { (item.product.name) " × " (item.quantity) " " } }
                    p { "Status: " (it.status.as_str()) }
                    @if let Some(change) = it.scheduled {
                        p { "On " (times::text(change.effective_at)) ": " (name_of(&json!(change.action))) }
                    } @else if it.status.runs() {
                        p { "Current period until " (times::text(it.period.end)) }
                    }
                    @if it.scheduled.is_none() && it.status != Status::Canceled && it.status != Status::Paused {
                        form method="post" action=(format!("?token={token}")) {
                            input type="hidden" name="subscription_id" value=(it.id);
                            button { "Cancel at the end of the period" }
                        }
                    }
                }
            }
        }
    }
}

fn name_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
