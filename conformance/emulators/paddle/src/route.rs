//! Decides which call a request is, and whether it may be made at all.

use purchase_core::transport::Method;
use purchase_emulator::{Call, Reply, Shared};
use serde_json::Value;

use crate::{
    Paddle,
    fault::Fault,
    fields::Fields,
    query::{Filter, Listing, Query, list},
};

/// Paths that Paddle has and the emulator doesn't, segment by segment; an asterisk stands for any segment.
const MISSING: [&str; 44] = [
    "adjustments/*/credit-note",
    "businesses",
    "client-tokens",
    "client-tokens/*",
    "currencies",
    "customers/*/auth-token",
    "customers/*/businesses",
    "customers/*/businesses/*",
    "customers/*/credit-balances",
    "customers/*/payment-methods",
    "customers/*/payment-methods/*",
    "discount-groups",
    "discount-groups/*",
    "discount-groups/*/archive",
    "discounts",
    "discounts/*",
    "ips",
    "metrics/*",
    "notification-settings",
    "notification-settings/*",
    "payouts",
    "pricing-preview",
    "reports",
    "reports/*",
    "reports/*/download-url",
    "simulation-types",
    "simulations",
    "simulations/*",
    "simulations/*/runs",
    "simulations/*/runs/*",
    "simulations/*/runs/*/events",
    "simulations/*/runs/*/events/*",
    "simulations/*/runs/*/events/*/replay",
    "subscriptions/*/activate",
    "subscriptions/*/charge",
    "subscriptions/*/charge/preview",
    "subscriptions/*/preview",
    "subscriptions/*/update-payment-method-transaction",
    "transactions/*/invoice",
    "transactions/*/revise",
    "transactions/*/refund",
    "transactions/*/preview",
    "transactions/preview",
    "client-tokens/*/revoke",
];

/// Paths that the emulator has with other methods.
const KNOWN: [&str; 24] = [
    "adjustments",
    "customers",
    "customers/*",
    "customers/*/addresses",
    "customers/*/addresses/*",
    "customers/*/portal-sessions",
    "event-types",
    "events",
    "notifications",
    "notifications/*",
    "notifications/*/logs",
    "notifications/*/replay",
    "prices",
    "prices/*",
    "products",
    "products/*",
    "subscriptions",
    "subscriptions/*",
    "subscriptions/*/cancel",
    "subscriptions/*/pause",
    "subscriptions/*/resume",
    "transactions",
    "transactions/*",
    "checkout",
];

impl Paddle {
    pub(crate) fn answer(&mut self, shared: &mut Shared, call: &Call<'_>) -> Reply {
        let segments = call.segments();
        match (call.method, segments.as_slice()) {
            (Method::Get | Method::Post, ["checkout"]) => return self.checkout_page(shared, call),
            (Method::Get, ["portal"]) => return self.portal(shared, "", call),
            (Method::Get | Method::Post, ["portal", id]) => return self.portal(shared, id, call),
            _ => {}
        }
        let answer = authenticated(call).and_then(|()| match call.method {
            Method::Get => self.get(shared, call, &segments),
            Method::Post => self.post(shared, call, &segments),
            Method::Patch => self.patch(shared, call, &segments),
            _ => Err(unknown(&segments)),
        });
        answer.unwrap_or_else(Fault::reply)
    }

    fn get(&mut self, shared: &mut Shared, call: &Call<'_>, segments: &[&str]) -> Result<Reply, Fault> {
        match segments {
            ["event-types"] => Self::event_types(call),
            ["events"] => self.events(shared, call),
            ["notifications"] => self.notifications(shared, call),
            ["notifications", id] => self.notification(shared, id),
            ["notifications", id, "logs"] => self.notification_logs(shared, id, call),
            ["customers", id, "addresses"] => {
                if !self.customers.contains_key(*id) {
                    return Err(Fault::not_found(id));
                }
                let own = self.addresses.values().filter(|it| it.customer == *id);
                list(call, &self.listing(call, &ADDRESSES), own.map(crate::customers::Address::view).collect())
            }
            ["customers", customer, "addresses", id] => {
                let own = self.addresses.get(*id).filter(|it| it.customer == *customer);
                own.ok_or_else(|| Fault::not_found(id))?;
                self.one(call, id, &[])
            }
            [collection] => self.collection(call, collection),
            [collection @ ("customers" | "prices" | "products" | "subscriptions" | "transactions"), id] => {
                let prefix = prefix(collection);
                if !id.starts_with(prefix) {
                    return Err(Fault::not_found(id));
                }
                self.one(call, id, if *collection == "customers" { &[] } else { &["include"] })
            }
            _ => Err(unknown(segments)),
        }
    }

    fn one(&self, call: &Call<'_>, id: &str, missing: &[&str]) -> Result<Reply, Fault> {
        Query::of(call).finish(missing)?;
        Ok(self.shown(200, id))
    }

    fn collection(&self, call: &Call<'_>, name: &str) -> Result<Reply, Fault> {
        let (kind, objects): (&Kind, Vec<Value>) = match name {
            "adjustments" => {
                (&ADJUSTMENTS, self.adjustments.values().map(crate::adjustment::Adjustment::view).collect())
            }
            "customers" => (&CUSTOMERS, self.customers.values().map(crate::customers::Customer::view).collect()),
            "prices" => (&PRICES, self.prices.values().map(crate::catalog::Price::view).collect()),
            "products" => (&PRODUCTS, self.products.values().map(crate::catalog::Product::view).collect()),
            "subscriptions" => {
                (&SUBSCRIPTIONS, self.subscriptions.values().map(|it| self.subscription_view(it)).collect())
            }
            "transactions" => (&TRANSACTIONS, self.transactions.values().map(|it| self.transaction_view(it)).collect()),
            _ => return Err(unknown(&[name])),
        };
        let objects = objects.into_iter().map(|view| self.dated(view)).collect();
        list(call, &self.listing(call, kind), objects)
    }

    fn listing(&self, call: &Call<'_>, kind: &Kind) -> Listing {
        Listing {
            base_url: self.account.base_url.clone(),
            path: call.route(),
            per_page: kind.per_page,
            filters: kind.filters,
            applied: &[],
            missing: kind.missing,
            id: "id",
        }
    }

    fn post(&mut self, shared: &mut Shared, call: &Call<'_>, segments: &[&str]) -> Result<Reply, Fault> {
        if *segments != ["transactions"] {
            Query::of(call).finish(&[])?;
        }
        match segments {
            ["adjustments"] => self.create_adjustment(shared, call),
            ["customers"] => self.create_customer(shared, call),
            ["customers", id, "addresses"] => self.create_address(shared, id, call),
            ["customers", id, "portal-sessions"] => self.create_portal_session(shared, id, call),
            ["notifications", id, "replay"] => self.replay(shared, id, call),
            ["prices"] => self.create_price(shared, call),
            ["products"] => self.create_product(shared, call),
            ["subscriptions", id, "cancel"] => self.cancel_call(shared, id, call),
            ["subscriptions", id, "pause"] => self.pause_call(shared, id, call),
            ["subscriptions", id, "resume"] => self.resume_call(shared, id, call),
            ["transactions"] => self.create_transaction(shared, call),
            _ => Err(unknown(segments)),
        }
    }

    fn patch(&mut self, shared: &mut Shared, call: &Call<'_>, segments: &[&str]) -> Result<Reply, Fault> {
        let id = match segments {
            ["customers", customer, "addresses", id] => {
                let own = self.addresses.get(*id).filter(|it| it.customer == *customer);
                own.ok_or_else(|| Fault::not_found(id))?;
                id
            }
            ["transactions", id] => return self.update_transaction(shared, id, call),
            [collection @ ("customers" | "prices" | "products" | "subscriptions"), id]
                if id.starts_with(prefix(collection)) =>
            {
                id
            }
            ["customers" | "prices" | "products" | "subscriptions", id] => return Err(Fault::not_found(id)),
            _ => return Err(unknown(segments)),
        };
        Query::of(call).finish(&[])?;
        self.update(shared, id, Fields::of_call(call)?)?;
        Ok(self.shown(200, id))
    }

    /// Changes an object that has only fields of its own.
    pub(crate) fn update(&mut self, shared: &mut Shared, id: &str, fields: Fields) -> Result<(), Fault> {
        match id.split('_').next() {
            Some("add") => self.update_address(shared, id, fields),
            Some("ctm") => self.update_customer(shared, id, fields),
            Some("pri") => self.update_price(shared, id, fields),
            Some("pro") => self.update_product(shared, id, fields),
            Some("sub") => self.update_subscription(shared, id, fields),
            _ => Err(Fault::not_found(id)),
        }
    }
}

/// What the document says of a list.
struct Kind {
    per_page: (usize, usize),
    filters: &'static [Filter],
    missing: &'static [&'static str],
}

const ADDRESSES: Kind = Kind {
    per_page: (50, 200),
    filters: &[Filter::In("id", "/id"), Filter::Default("status", "/status", "active")],
    missing: &["search"],
};
const ADJUSTMENTS: Kind = Kind {
    per_page: (10, 50),
    filters: &[
        Filter::In("action", "/action"),
        Filter::In("customer_id", "/customer_id"),
        Filter::In("id", "/id"),
        Filter::In("status", "/status"),
        Filter::In("subscription_id", "/subscription_id"),
        Filter::In("transaction_id", "/transaction_id"),
    ],
    missing: &[],
};
const CUSTOMERS: Kind = Kind {
    per_page: (50, 200),
    filters: &[Filter::In("email", "/email"), Filter::In("id", "/id"), Filter::Default("status", "/status", "active")],
    missing: &["search"],
};
const PRICES: Kind = Kind {
    per_page: (50, 200),
    filters: &[
        Filter::In("id", "/id"),
        Filter::In("product_id", "/product_id"),
        Filter::Present("recurring", "/billing_cycle"),
        Filter::Default("status", "/status", "active"),
        Filter::Default("type", "/type", "standard"),
    ],
    missing: &["include"],
};
const PRODUCTS: Kind = Kind {
    per_page: (50, 200),
    filters: &[
        Filter::In("id", "/id"),
        Filter::Default("status", "/status", "active"),
        Filter::In("tax_category", "/tax_category"),
        Filter::Default("type", "/type", "standard"),
    ],
    missing: &["include"],
};
const SUBSCRIPTIONS: Kind = Kind {
    per_page: (50, 200),
    filters: &[
        Filter::In("address_id", "/address_id"),
        Filter::In("collection_mode", "/collection_mode"),
        Filter::In("customer_id", "/customer_id"),
        Filter::In("id", "/id"),
        Filter::Among("price_id", "/items", "/price/id"),
        Filter::In("scheduled_change_action", "/scheduled_change/action"),
        Filter::In("status", "/status"),
    ],
    missing: &[],
};
const TRANSACTIONS: Kind = Kind {
    per_page: (30, 30),
    filters: &[
        Filter::Time("billed_at", "/billed_at"),
        Filter::In("collection_mode", "/collection_mode"),
        Filter::Time("created_at", "/created_at"),
        Filter::In("customer_id", "/customer_id"),
        Filter::In("id", "/id"),
        Filter::In("invoice_number", "/invoice_number"),
        Filter::In("origin", "/origin"),
        Filter::In("status", "/status"),
        Filter::In("subscription_id", "/subscription_id"),
        Filter::Time("updated_at", "/updated_at"),
    ],
    missing: &["include"],
};

fn prefix(collection: &str) -> &'static str {
    match collection {
        "customers" => "ctm_",
        "prices" => "pri_",
        "products" => "pro_",
        "subscriptions" => "sub_",
        _ => "txn_",
    }
}

/// Documented: both errors have the status 403. Any key is a good one.
fn authenticated(call: &Call<'_>) -> Result<(), Fault> {
    let malformed = "Authentication header included, but incorrectly formatted.";
    let version = call.header("paddle-version").unwrap_or("1").to_owned();
    match call.header("authorization").map(|_| call.credentials("bearer").unwrap_or_default()) {
        None => Err(Fault::shared(403, "authentication_missing", "Authentication header missing.")),
        Some("") => Err(Fault::shared(403, "authentication_malformed", malformed)),
        Some(_) if version != "1" => Err(Fault::not_emulated(format!("version {version} of the API"))),
        Some(_) => Ok(()),
    }
}

/// Why a path with this method can't be called.
fn unknown(segments: &[&str]) -> Fault {
    let fits = |path: &&&str| {
        let parts: Vec<&str> = path.split('/').collect();
        parts.len() == segments.len() && parts.iter().zip(segments).all(|(part, it)| *part == "*" || part == it)
    };
    let path = segments.join("/");
    if MISSING.iter().any(|it| fits(&it)) {
        return Fault::not_emulated(format!("/{path}"));
    }
    match KNOWN.iter().any(|it| fits(&it)) {
        true => Fault::shared(405, "method_not_allowed", "The method is not allowed for this URL."),
        false => Fault::shared(404, "invalid_url", "URL called is invalid."),
    }
}
