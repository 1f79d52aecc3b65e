//! Design decisions that surprised someone, each with the rejected alternatives.

#[doc = include_str!("0001_subjects_fold_alone.md")]
pub mod d0001_subjects_fold_alone {}
#[doc = include_str!("0002_a_state_is_what_the_provider_showed.md")]
pub mod d0002_a_state_is_what_the_provider_showed {}
#[doc = include_str!("0003_what_went_back_of_a_payment.md")]
pub mod d0003_what_went_back_of_a_payment {}
#[doc = include_str!("0004_refused_and_kept.md")]
pub mod d0004_refused_and_kept {}
#[doc = include_str!("0005_access_needs_news.md")]
pub mod d0005_access_needs_news {}
#[doc = include_str!("0006_rows_are_derived_once.md")]
pub mod d0006_rows_are_derived_once {}
#[doc = include_str!("0007_reversals_name_nothing.md")]
pub mod d0007_reversals_name_nothing {}
#[doc = include_str!("0008_sources_stand_apart.md")]
pub mod d0008_sources_stand_apart {}
#[doc = include_str!("0009_bodies_are_read_by_core.md")]
pub mod d0009_bodies_are_read_by_core {}
#[doc = include_str!("0010_a_batch_is_one_message.md")]
pub mod d0010_a_batch_is_one_message {}
#[doc = include_str!("0011_two_namespaces_of_customers.md")]
pub mod d0011_two_namespaces_of_customers {}
#[doc = include_str!("0012_own_word_first.md")]
pub mod d0012_own_word_first {}
#[doc = include_str!("0013_figures_before_versions.md")]
pub mod d0013_figures_before_versions {}
#[doc = include_str!("0014_each_sale_once.md")]
pub mod d0014_each_sale_once {}
#[doc = include_str!("0015_a_replay_never_makes_things_worse.md")]
pub mod d0015_a_replay_never_makes_things_worse {}
#[doc = include_str!("0016_a_revision_is_compared_in_its_row.md")]
pub mod d0016_a_revision_is_compared_in_its_row {}
#[doc = include_str!("0017_a_provider_has_parts.md")]
pub mod d0017_a_provider_has_parts {}
#[doc = include_str!("0018_a_decision_loads_nothing.md")]
pub mod d0018_a_decision_loads_nothing {}
#[doc = include_str!("0019_a_table_is_described_once.md")]
pub mod d0019_a_table_is_described_once {}
#[doc = include_str!("0020_a_world_is_a_value.md")]
pub mod d0020_a_world_is_a_value {}
