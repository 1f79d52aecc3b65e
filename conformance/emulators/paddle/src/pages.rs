//! Decides what the checkout page shows, and what its form does. It needs no script.

use maud::{DOCTYPE, Markup, html};
use purchase_core::transport::Method;
use purchase_emulator::{Call, Reply, Shared};

use crate::{
    Paddle,
    checkout::{Buyer, Card},
    query::Query,
    transaction::{Status, Transaction},
};

/// The cards of the form: their numbers in Paddle's sandbox, and what becomes of them.
const CARDS: [(&str, &str, Card); 5] = [
    ("4242 4242 4242 4242", "succeeds", Card::Success),
    ("4000 0000 0000 0002", "is declined", Card::Declined),
    ("4000 0038 0000 0446", "needs 3-D Secure, which the buyer confirms", Card::ThreeDSecure),
    ("4000 0027 6000 3184", "needs 3-D Secure, at which the buyer fails", Card::ThreeDSecureFailed),
    ("bank transfer", "is settled later", Card::Delayed),
];

/// A whole page.
pub(crate) fn page(title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
            }
            body {
                main {
                    h1 { (title) }
                    (content)
                    footer { small { "An emulator of Paddle. No money moves." } }
                }
            }
        }
    };
    page.into_string()
}

impl Paddle {
    /// The page of a checkout. Its form pays the transaction.
    pub(crate) fn checkout_page(&mut self, shared: &mut Shared, call: &Call<'_>) -> Reply {
        let id = Query::of(call).read("_ptxn").unwrap_or_default();
        if !self.transactions.contains_key(&id) {
            return Reply::html(404, page("Checkout", &html! { p { "There is no such transaction." } }));
        }
        let mut said = None;
        if call.method == Method::Post {
            let form: Vec<(String, String)> = url::form_urlencoded::parse(call.body).into_owned().collect();
            said = Some(self.submit(shared, &id, &form));
        }
        let Some(transaction) = self.transactions.get(&id) else { return Reply::html(404, String::new()) };
        Reply::html(200, page("Checkout", &form(transaction, said.as_deref())))
    }

    fn submit(&mut self, shared: &mut Shared, id: &str, form: &[(String, String)]) -> String {
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned());
        let number = field("card").unwrap_or_default();
        let Some((_, _, card)) = CARDS.iter().find(|(known, ..)| *known == number) else {
            return "Choose a card.".to_owned();
        };
        let country = field("country").map(|it| it.to_uppercase());
        match self.buy(shared, id, &Buyer { email: field("email"), country, card: *card }) {
            Ok(true) => "Thank you, the payment succeeded.".to_owned(),
            Ok(false) if *card == Card::Delayed => "The payment is being processed.".to_owned(),
            Ok(false) => "The payment failed. Try another card.".to_owned(),
            Err(fault) => fault.to_string(),
        }
    }
}

fn form(transaction: &Transaction, said: Option<&str>) -> Markup {
    let currency = String::from(transaction.currency.clone());
    html! {
        @if let Some(said) = said { p role="status" { strong { (said) } } }
        p { "Transaction " code { (transaction.id) } " is " (transaction.status.as_str()) "." }
        table {
            @for line in &transaction.lines {
                tr {
                    td { (line.product.name) " (" (line.price.name.as_ref().unwrap_or(&line.price.description)) ")" }
                    td { (line.quantity) }
                    td { (line.total()) " " (currency) }
                }
            }
            tr { td { "Total, in minor units" } td {} td { (transaction.grand_total()) " " (currency) } }
        }
        @if matches!(transaction.status, Status::Draft | Status::Ready) {
            form method="post" action=(format!("?_ptxn={}", transaction.id)) {
                @if transaction.customer.is_none() {
                    p { label { "E-mail " input type="email" name="email" required; } }
                }
                @if transaction.address.is_none() {
                    p { label { "Country " input name="country" value="DE" size="2" maxlength="2" required; } }
                }
                fieldset {
                    legend { "Payment" }
                    @for (place, (number, does, _)) in CARDS.iter().enumerate() {
                        p {
                            label {
                                input type="radio" name="card" value=(number) checked[place == 0] required;
                                " " (number) " " (does)
                            }
                        }
                    }
                }
                button { "Pay" }
            }
        }
    }
}
