//! Decides what a subscription is, and how it is shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Paddle,
    catalog::{Price, Product},
    money::Currency,
    times::{Duration, Period, Times, maybe, text},
};

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) times: Times,
    pub(crate) status: Status,
    pub(crate) customer: String,
    pub(crate) address: String,
    pub(crate) currency: Currency,
    pub(crate) custom_data: Option<Map<String, Value>>,
    pub(crate) started: i64,
    pub(crate) first_billed: Option<i64>,
    pub(crate) paused: Option<i64>,
    pub(crate) canceled: Option<i64>,
    /// The last period, which isn't shown while the subscription is paused or canceled.
    pub(crate) period: Period,
    pub(crate) cycle: Duration,
    pub(crate) scheduled: Option<Scheduled>,
    pub(crate) items: Vec<Item>,
    /// The renewal that could not be collected.
    pub(crate) owed: Option<Owed>,
    /// Whether its trial is over and nothing was collected yet, so that it isn't activated.
    pub(crate) activates: bool,
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    Canceled,
    PastDue,
    Paused,
    Trialing,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Canceled => "canceled",
            Self::PastDue => "past_due",
            Self::Paused => "paused",
            Self::Trialing => "trialing",
        }
    }

    /// Whether it has a current period. Documented: null for paused and canceled subscriptions.
    pub(crate) fn runs(self) -> bool {
        !matches!(self, Self::Canceled | Self::Paused)
    }
}

/// A change that is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scheduled {
    pub(crate) action: Action,
    pub(crate) effective_at: i64,
    /// When a pause is to end.
    pub(crate) resume_at: Option<i64>,
}

/// What is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Cancel,
    Pause,
    Resume,
}

/// What is billed, as it was in the catalogue when it was added.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) price: Price,
    pub(crate) product: Product,
    pub(crate) quantity: u32,
    pub(crate) times: Times,
    pub(crate) previously_billed: Option<i64>,
    pub(crate) trial: Option<Period>,
}

/// A renewal in dunning.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owed {
    pub(crate) transaction: String,
    /// When the first attempt failed.
    pub(crate) since: i64,
    /// How many of the account's retries were made.
    pub(crate) retries: usize,
}

impl Subscription {
    /// When it is billed next. Recorded: null while a pause is scheduled; a cancellation is alike.
    pub(crate) fn next_billed(&self) -> Option<i64> {
        let ends = self.scheduled.is_some_and(|it| it.action != Action::Resume);
        (self.status.runs() && !ends).then_some(self.period.end)
    }

    /// Without the links to the portal, as webhooks show it.
    pub(crate) fn view(&self) -> Value {
        let scheduled = self.scheduled.map(|it| {
            json!({
                "action": it.action, "effective_at": text(it.effective_at), "resume_at": maybe(it.resume_at),
            })
        });
        json!({
            "id": self.id, "status": self.status, "customer_id": self.customer, "address_id": self.address,
            "business_id": null, "currency_code": self.currency, "created_at": text(self.times.created),
            "updated_at": text(self.times.changed), "started_at": text(self.started),
            "first_billed_at": maybe(self.first_billed), "next_billed_at": maybe(self.next_billed()),
            "paused_at": maybe(self.paused), "canceled_at": maybe(self.canceled), "discount": null,
            "collection_mode": "automatic", "billing_details": null,
            "current_billing_period": self.status.runs().then(|| self.period.view()), "billing_cycle": self.cycle,
            "scheduled_change": scheduled, "items": self.items.iter().map(|it| self.item_view(it)).collect::<Vec<_>>(),
            "custom_data": self.custom_data, "import_meta": null,
        })
    }

    fn item_view(&self, it: &Item) -> Value {
        json!({
            "status": if self.status == Status::Trialing { "trialing" } else { "active" }, "quantity": it.quantity,
            "recurring": true, "created_at": text(it.times.created), "updated_at": text(it.times.changed),
            "previously_billed_at": maybe(it.previously_billed), "next_billed_at": maybe(self.next_billed()),
            "trial_dates": it.trial.map(Period::view), "price": it.price.view(), "product": it.product.view(),
        })
    }
}

impl Paddle {
    /// As the API shows it.
    pub(crate) fn subscription_view(&self, it: &Subscription) -> Value {
        let link = |action: &str| format!("{}/portal?action={action}&subscription_id={}", self.account.base_url, it.id);
        let mut view = it.view();
        view["management_urls"] = json!({
            "update_payment_method": link("update_subscription_payment_method"), "cancel": link("cancel_subscription"),
        });
        view
    }
}
