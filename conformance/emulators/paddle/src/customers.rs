//! Decides what customers and addresses are, and how they are created and changed. An e-mail address belongs to one
//! customer.

use purchase_emulator::{Call, Reply, Shared};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Paddle,
    catalog::{STATUSES, set},
    fault::Fault,
    fields::Fields,
    ids,
    times::{Times, text},
};

/// A customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) times: Times,
    pub(crate) name: Option<String>,
    pub(crate) email: String,
    pub(crate) status: String,
    pub(crate) custom_data: Option<Map<String, Value>>,
    locale: String,
    /// Whether the stored card is declined.
    pub(crate) card_fails: bool,
}

impl Customer {
    fn new(email: String) -> Self {
        Self {
            id: String::new(),
            times: Times::new(0),
            name: None,
            email,
            status: "active".to_owned(),
            custom_data: None,
            locale: "en".to_owned(),
            card_fails: false,
        }
    }

    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "email": self.email, "marketing_consent": false, "status": self.status,
            "custom_data": self.custom_data, "locale": self.locale, "import_meta": null,
            "created_at": text(self.times.created), "updated_at": text(self.times.changed),
        })
    }

    fn change(&mut self, mut fields: Fields) -> Result<(), Fault> {
        let name = fields.nullable("name", 0, 1024);
        let email = fields.text("email", 1, 320);
        if email.as_ref().is_some_and(|it| !is_email(it)) {
            fields.refuse("email", "must be a valid email");
        }
        let status = fields.word("status", &STATUSES);
        let custom_data = fields.read("custom_data");
        let locale = fields.text("locale", 1, 20);
        fields.finish(&[])?;
        set(&mut self.name, name);
        set(&mut self.email, email);
        set(&mut self.status, status);
        set(&mut self.custom_data, custom_data);
        set(&mut self.locale, locale);
        Ok(())
    }
}

/// An address of a customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) id: String,
    pub(crate) times: Times,
    pub(crate) customer: String,
    description: Option<String>,
    first_line: Option<String>,
    second_line: Option<String>,
    city: Option<String>,
    postal_code: Option<String>,
    region: Option<String>,
    pub(crate) country_code: String,
    custom_data: Option<Map<String, Value>>,
    status: String,
}

impl Address {
    fn new(customer: &str) -> Self {
        Self {
            id: String::new(),
            times: Times::new(0),
            customer: customer.to_owned(),
            description: None,
            first_line: None,
            second_line: None,
            city: None,
            postal_code: None,
            region: None,
            country_code: String::new(),
            custom_data: None,
            status: "active".to_owned(),
        }
    }

    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id, "customer_id": self.customer, "description": self.description, "first_line": self.first_line,
            "second_line": self.second_line, "city": self.city, "postal_code": self.postal_code, "region": self.region,
            "country_code": self.country_code, "custom_data": self.custom_data, "status": self.status,
            "import_meta": null, "created_at": text(self.times.created), "updated_at": text(self.times.changed),
        })
    }

    fn change(&mut self, mut fields: Fields) -> Result<(), Fault> {
        let description = fields.nullable("description", 0, 1024);
        let first_line = fields.nullable("first_line", 0, 1024);
        let second_line = fields.nullable("second_line", 0, 1024);
        let city = fields.nullable("city", 0, 200);
        let postal_code = fields.nullable("postal_code", 0, 200);
        let region = fields.nullable("region", 0, 200);
        let country_code = fields.text("country_code", 2, 2);
        if country_code.as_ref().is_some_and(|it| !is_country(it)) {
            fields.refuse("country_code", "must be a supported country code");
        }
        let custom_data = fields.read("custom_data");
        let status = fields.word("status", &STATUSES);
        fields.finish(&[])?;
        set(&mut self.description, description);
        set(&mut self.first_line, first_line);
        set(&mut self.second_line, second_line);
        set(&mut self.city, city);
        set(&mut self.postal_code, postal_code);
        set(&mut self.region, region);
        set(&mut self.country_code, country_code);
        set(&mut self.custom_data, custom_data);
        set(&mut self.status, status);
        Ok(())
    }
}

pub(crate) fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}

pub(crate) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|it| it.is_ascii_uppercase())
}

impl Paddle {
    /// The customer who has this e-mail address.
    pub(crate) fn customer_by_email(&self, email: &str) -> Option<&Customer> {
        self.customers.values().find(|it| it.email.eq_ignore_ascii_case(email))
    }

    pub(crate) fn create_customer(&mut self, shared: &mut Shared, call: &Call<'_>) -> Result<Reply, Fault> {
        let mut fields = Fields::of_call(call)?;
        if !fields.has("email") {
            fields.refuse("email", "must be provided as part of the request");
        }
        if fields.has("status") {
            fields.refuse("status", "additional property is not allowed");
        }
        let mut customer = Customer::new(String::new());
        customer.change(fields)?;
        if let Some(other) = self.customer_by_email(&customer.email) {
            return Err(Fault::customer_exists(&other.id));
        }
        let id = self.add_customer(shared, customer);
        self.emit(shared, "customer.created", &id);
        Ok(self.shown(201, &id))
    }

    fn add_customer(&mut self, shared: &mut Shared, mut customer: Customer) -> String {
        customer.times = Times::new(self.tick(shared));
        customer.id = ids::id("ctm", customer.times.created, &mut shared.draw);
        let id = customer.id.clone();
        self.customers.insert(id.clone(), customer);
        id
    }

    /// A new customer who came to the checkout. The event is the caller's.
    pub(crate) fn meet(&mut self, shared: &mut Shared, email: &str) -> String {
        self.add_customer(shared, Customer::new(email.to_owned()))
    }

    pub(crate) fn update_customer(&mut self, shared: &mut Shared, id: &str, fields: Fields) -> Result<(), Fault> {
        let mut customer = self.customers.get(id).cloned().ok_or_else(|| Fault::not_found(id))?;
        customer.change(fields)?;
        if let Some(other) = self.customer_by_email(&customer.email).filter(|other| other.id != id) {
            return Err(Fault::customer_exists(&other.id));
        }
        customer.times.changed = self.tick(shared);
        self.customers.insert(id.to_owned(), customer);
        self.emit(shared, "customer.updated", id);
        Ok(())
    }

    pub(crate) fn create_address(
        &mut self,
        shared: &mut Shared,
        customer: &str,
        call: &Call<'_>,
    ) -> Result<Reply, Fault> {
        if !self.customers.contains_key(customer) {
            return Err(Fault::not_found(customer));
        }
        let mut fields = Fields::of_call(call)?;
        if !fields.has("country_code") {
            fields.refuse("country_code", "must be provided as part of the request");
        }
        if fields.has("status") {
            fields.refuse("status", "additional property is not allowed");
        }
        let mut address = Address::new(customer);
        address.change(fields)?;
        let id = self.add_address(shared, address);
        self.emit(shared, "address.created", &id);
        Ok(self.shown(201, &id))
    }

    fn add_address(&mut self, shared: &mut Shared, mut address: Address) -> String {
        address.times = Times::new(self.tick(shared));
        address.id = ids::id("add", address.times.created, &mut shared.draw);
        let id = address.id.clone();
        self.addresses.insert(id.clone(), address);
        id
    }

    /// A new address of a customer, who entered it at the checkout. The event is the caller's.
    pub(crate) fn locate(&mut self, shared: &mut Shared, customer: &str, country: &str) -> String {
        self.add_address(shared, Address { country_code: country.to_owned(), ..Address::new(customer) })
    }

    pub(crate) fn update_address(&mut self, shared: &mut Shared, id: &str, fields: Fields) -> Result<(), Fault> {
        let mut address = self.addresses.get(id).cloned().ok_or_else(|| Fault::not_found(id))?;
        address.change(fields)?;
        address.times.changed = self.tick(shared);
        self.addresses.insert(id.to_owned(), address);
        self.emit(shared, "address.updated", id);
        Ok(())
    }
}
