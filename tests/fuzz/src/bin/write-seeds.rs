//! Writes the corpora anew: `cargo run --manifest-path tests/fuzz/Cargo.toml --bin write-seeds`, twice where the
//! journal changes, since the other seeds are made of the one that is compiled in.

use fuzz::seeds;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    std::fs::create_dir_all(corpus.join("frame"))?;
    std::fs::write(corpus.join("frame/three-commits"), seeds::journal())?;
    for (target, seeds) in seeds::others() {
        std::fs::create_dir_all(corpus.join(target))?;
        for (name, bytes) in seeds {
            std::fs::write(corpus.join(target).join(name), bytes)?;
        }
    }
    Ok(())
}
