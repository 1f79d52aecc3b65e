//! Decides how tests print facts: one line each, including raw provider ids, but without the content of the
//! observation.

use purchase_core::{
    fact::{Fact, Link, Phase},
    id::{ObjectKind, ObjectRef},
};

/// Prints every fact in one line: the subject, the observed object and the links.
///
/// # Panics
/// When an observation's state has another kind than its object.
pub fn lines(facts: &[Fact]) -> Vec<String> {
    facts.iter().map(line).collect()
}

fn line(fact: &Fact) -> String {
    let root = &fact.subject.root;
    let observation = fact.observation.as_ref().map(|observation| {
        assert_eq!(observation.object.kind, observation.object_state.kind());
        let phase = match observation.phase {
            Phase::Created => "created",
            Phase::Changed => "changed",
            Phase::Ended => "ended",
        };
        format!(" shows {} {phase}", named(observation.object.kind, observation.object.id.expose()))
    });
    let links: Vec<String> = fact.links.iter().map(link).collect();
    let links = if links.is_empty() { String::new() } else { format!(" of {}", links.join(" ")) };
    format!("{}{}{links}", named(root.kind, root.id.expose()), observation.unwrap_or_default())
}

fn named(kind: ObjectKind, id: &str) -> String {
    format!("{}:{id}", kind.as_str())
}

fn link(link: &Link) -> String {
    match link {
        Link::Checkout(id) => named(ObjectKind::Checkout, id.expose()),
        Link::Customer(id) => named(ObjectKind::Customer, id.expose()),
        Link::InferredOffer { offer, by } => format!("offer:{offer}{}", said_by(by.as_ref())),
        Link::InferredOwner { owner, by } => format!("owner:{owner}{}", said_by(by.as_ref())),
        Link::Invoice(id) => named(ObjectKind::Invoice, id.expose()),
        Link::Offer(id) => format!("offer:{id}"),
        Link::Owner(id) => format!("owner:{id}"),
        Link::Payment(id) => named(ObjectKind::Payment, id.expose()),
        Link::Product(id) => named(ObjectKind::Product, id.expose()),
        Link::Subscription(id) => named(ObjectKind::Subscription, id.expose()),
    }
}

fn said_by(by: Option<&ObjectRef>) -> String {
    by.map_or_else(|| "(by others)".to_owned(), |by| format!("(by {})", named(by.kind, by.id.expose())))
}
