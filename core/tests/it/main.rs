//! The integration tests, in one program: linking each test separately would take as long as linking all of them.

mod access;
mod acme;
mod adjustments;
mod engine;
mod errors;
mod figures;
mod fold_properties;
mod inferred;
mod keys;
mod links;
mod observations;
mod operator;
mod owned;
mod refunded;
mod reversals;
mod sales;
mod told;
