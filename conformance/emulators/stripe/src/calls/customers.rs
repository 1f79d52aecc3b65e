//! Customers and portal sessions: created, changed, deleted.

use purchase_emulator::Shared;
use serde_json::json;

use super::{Answer, expand::Expand, reading::no_such};
use crate::{
    fault::Fault,
    ids,
    params::{MetadataChange, Params},
    show::Kind,
    state::{Customer, Portal},
    stripe::Stripe,
};

/// What a call says about a customer. The inner none unsets.
struct Said {
    email: Option<Option<String>>,
    name: Option<Option<String>>,
    phone: Option<Option<String>>,
    description: Option<Option<String>>,
    metadata: MetadataChange,
}

impl Said {
    fn of(params: &mut Params) -> Result<Self, Fault> {
        Ok(Self {
            email: params.settable("email")?,
            name: params.settable("name")?,
            phone: params.settable("phone")?,
            description: params.settable("description")?,
            metadata: params.metadata()?,
        })
    }

    fn apply(&self, it: &mut Customer) {
        let set = |to: &mut Option<String>, said: &Option<Option<String>>| {
            if let Some(said) = said {
                to.clone_from(said);
            }
        };
        set(&mut it.email, &self.email);
        set(&mut it.name, &self.name);
        set(&mut it.phone, &self.phone);
        set(&mut it.description, &self.description);
        self.metadata.apply(&mut it.metadata);
    }
}

impl Stripe {
    pub(crate) fn create_customer(&mut self, shared: &mut Shared, mut params: Params) -> Answer {
        let (expand, said) = (Expand::of(&mut params)?, Said::of(&mut params)?);
        params.end()?;
        let id = self.new_customer(shared);
        said.apply(self.customers.change(&id));
        self.tell(shared, "customer.created", Kind::Customer, &id);
        self.shows(Kind::Customer, &id, expand)
    }

    pub(crate) fn update_customer(&mut self, shared: &mut Shared, id: &str, mut params: Params) -> Answer {
        let (expand, said) = (Expand::of(&mut params)?, Said::of(&mut params)?);
        params.end()?;
        self.living_customer(id).ok_or_else(|| no_such(Kind::Customer, id))?;
        self.changing(shared, "customer.updated", (Kind::Customer, id), |it, _| said.apply(it.customers.change(id)));
        self.shows(Kind::Customer, id, expand)
    }

    /// Documented: "Also immediately cancels any active subscriptions on the customer."
    pub(crate) fn delete_customer(&mut self, shared: &mut Shared, id: &str, params: Params) -> Answer {
        params.end()?;
        self.living_customer(id).ok_or_else(|| no_such(Kind::Customer, id))?;
        let own = self.subscriptions.all().filter(|it| it.customer == id && !it.is_over());
        for subscription in own.map(|it| it.id.clone()).collect::<Vec<_>>() {
            self.end_subscription(shared, &subscription, Some("cancellation_requested"));
        }
        let whole = self.show_whole_customer(self.customers.at(id));
        self.customers.change(id).deleted = true;
        self.event(shared, "customer.deleted", whole, None, 0);
        Ok(json!({ "id": id, "object": "customer", "deleted": true }))
    }

    /// A customer that isn't deleted.
    pub(crate) fn living_customer(&self, id: &str) -> Option<&Customer> {
        self.customers.find(id).filter(|it| !it.deleted)
    }

    pub(crate) fn create_portal(&mut self, shared: &mut Shared, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (customer, return_url) = (params.need_text("customer")?, params.text("return_url")?);
        let locale = params.text("locale")?;
        params.end()?;
        self.living_customer(&customer).ok_or_else(|| Fault::no_such_in("customer", "customer", &customer))?;
        let id = ids::long(&mut shared.draw, "bps", &self.account);
        let secret = format!("test_{}", ids::secret(&mut shared.draw));
        let portal = Portal { id: id.clone(), created: shared.second(), customer, return_url, locale, secret };
        self.portals.add(&id, portal);
        self.tell(shared, "billing_portal.session.created", Kind::Portal, &id);
        self.shows(Kind::Portal, &id, expand)
    }
}
