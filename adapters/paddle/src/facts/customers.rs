//! Reads a customer. This module does not know what the customer bought.

use purchase_core::{
    fact::{
        Link,
        object_state::{Customer, ObjectState, Private},
    },
    id::ObjectKind,
    provider::ReadFault,
    wire::collect::{Collector, owner},
};

use super::Reading;

/// `customer`. Its own custom data name its owner. Paddle archives customers and never deletes them.
pub(super) fn customer(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let (root, object) = (reading.root(ObjectKind::Customer)?, &reading.object);
    let object_state = ObjectState::Customer(Customer {
        email: object.at("email").text()?.map(Private::new),
        name: object.at("name").text()?.map(Private::new),
        deleted: false,
        archived: object.at("status").text()? == Some("archived"),
        bare: false,
    });
    facts.observation(&root, reading.observation(&root, object_state));
    facts.link(&root, owner(&object.at("custom_data"))?.map(Link::Owner));
    Ok(())
}
