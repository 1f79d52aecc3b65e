//! Decides how the page shows what adapters declare, and the laws and scenarios by which they were judged.

use maud::{Markup, html};

use crate::report::{Floor, ProviderCapabilities, Report};

pub(super) fn capabilities(report: &Report) -> Markup {
    html! {
        @if !report.capabilities.is_empty() {
            h2 #capabilities { "Capabilities" }
            p {
                "A declared capability must work, and an undeclared one must be absent. "
                "A floor is the least that the scenarios must execute of a capability."
            }
            @for of in &report.capabilities { (one(of)) }
        }
    }
}

fn one(of: &ProviderCapabilities) -> Markup {
    let floor = |name: &str| of.floors.iter().find(|floor| floor.capability == name);
    let declared = of.declared.iter().map(|name| (name, "declared"));
    let undeclared = of.undeclared.iter().map(|name| (name, "not declared"));
    html! {
        div.scroll {
            table {
                caption { (of.provider) }
                thead {
                    tr {
                        th { "capability" } th { "declared" }
                        th.number { "required" } th.number { "executed" } th { "floor" }
                    }
                }
                tbody {
                    @for (name, said) in declared.chain(undeclared) {
                        tr { th scope="row" { (name) } td { (said) } (figures(floor(name))) }
                    }
                }
            }
        }
    }
}

fn figures(floor: Option<&Floor>) -> Markup {
    html! {
        @match floor {
            Some(floor) => {
                td.number { (floor.required) }
                td.number { (floor.executed) }
                @if floor.reached() { td.good { "✓ reached" } } @else { td.bad { "✗ missed" } }
            }
            None => { td {} td {} td {} }
        }
    }
}

pub(super) fn digests(report: &Report) -> Markup {
    let of = &report.digests;
    let mut rows = vec![
        ("kit".to_owned(), report.kit.clone()),
        (format!("laws {}", of.spec_version), of.spec.clone()),
        ("fixtures".to_owned(), of.fixtures.clone()),
    ];
    rows.extend(of.providers.iter().map(|(provider, digest)| (format!("fixtures of {provider}"), digest.clone())));
    html! {
        h2 #digests { "Versions and digests" }
        div.scroll {
            table {
                tbody { @for (what, digest) in rows { tr { th scope="row" { (what) } td { code { (digest) } } } } }
            }
        }
    }
}
