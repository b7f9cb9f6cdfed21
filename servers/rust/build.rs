//! Links the C core: C10K_BUILD is the folder where make has put its archives.
use std::env;

fn main() {
    let build = env::var("C10K_BUILD").expect("C10K_BUILD is set by make: use make servers");
    println!("cargo:rerun-if-env-changed=C10K_BUILD");
    println!("cargo:rustc-link-search=native={}", build);
    for archive in ["bridge", "sys", "core"] {
        println!("cargo:rerun-if-changed={}/lib{}.a", build, archive);
        println!("cargo:rustc-link-lib=static={}", archive);
    }
    println!("cargo:rustc-link-lib=hiredis");
}
