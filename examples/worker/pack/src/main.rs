//! Packs the compiled Worker. It calls wasm-bindgen as a library, so that an installed tool of another version can't
//! interfere.
//!
//! `purchase-worker-pack IN.wasm OUT_FOLDER NAME` writes `NAME.js` and `NAME_bg.wasm`.

use anyhow::{Context, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder, name] = arguments.as_slice() else {
        bail!("usage: purchase-worker-pack IN.wasm OUT_FOLDER NAME");
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name(name).typescript(false);
    bindgen.web(true)?;
    bindgen.generate(folder).with_context(|| format!("{input} can't be packed"))
}
