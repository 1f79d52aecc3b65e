//! The integration tests, in one program: each that is linked on its own costs as much as all of them.

mod access;
mod acme;
mod adjustments;
mod engine;
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
