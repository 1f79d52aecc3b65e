//! Retrieves one object.

use super::{Answer, expand::Expand};
use crate::{fault::Fault, params::Params, show::Kind, stripe::Stripe};

impl Stripe {
    /// Retrieves an object.
    pub(crate) fn retrieve(&self, kind: Kind, id: &str, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        params.end()?;
        let shown = self.show(kind, id).ok_or_else(|| no_such(kind, id))?;
        self.expanded(shown, expand)
    }

    /// Answers with an object that a call made or changed.
    pub(crate) fn shows(&self, kind: Kind, id: &str, expand: Expand) -> Answer {
        self.expanded(self.shown(kind, id), expand)
    }
}

/// The fault of an id in a path that leads nowhere.
pub(crate) fn no_such(kind: Kind, id: &str) -> Fault {
    let param = match kind {
        Kind::Intent => "intent",
        Kind::Session => "session",
        Kind::Method => "payment_method",
        Kind::Customer | Kind::Product | Kind::Subscription => "id",
        _ => kind.name(),
    };
    Fault::no_such(kind.name(), param, id)
}
