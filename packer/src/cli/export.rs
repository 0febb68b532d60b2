//! `airlift export`: the images of an installer file as an OCI layout, for skopeo, crane, oras or a registry.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bundle_spec::reader::{Bundle, blob_error};

use crate::bundle_file;
use crate::event::{Emit, Event};
use crate::manifest;
use crate::outcome::{Explain, Failure, Outcome};
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installer file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder for the layout; it must be empty, or not be there
    #[arg(long, value_name = "DIR")]
    oci: PathBuf,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let (file, bundle) = bundle_file::open(&args.file)?;
    let blobs = args.oci.join("blobs/sha256");
    let failed = |path: &Path| format!("cannot write {}", path.display());
    if fs::read_dir(&args.oci).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::usage(format!("{} is not empty", args.oci.display()))
            .hint("give a folder that is empty or not there"));
    }
    let mut unfinished = Unfinished::new(&args.oci);
    let made = fs::create_dir_all(&blobs).explain(|| failed(&blobs));
    made.and_then(|()| fill(args, &file, &bundle, emit)).map_err(|failure| failure.writing_to(&blobs))?;
    unfinished.is_finished = true;
    for image in &bundle.index.content.images {
        report::data(&format!("{}:{}", args.oci.display(), image.reference))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A layout that is being written. It is taken away unless it gets finished: the next attempt wants an empty folder.
struct Unfinished<'a> {
    folder: &'a Path,
    was_there: bool,
    is_finished: bool,
}

impl<'a> Unfinished<'a> {
    fn new(folder: &'a Path) -> Self {
        Self { folder, was_there: folder.is_dir(), is_finished: false }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        for name in ["index.json", "oci-layout"] {
            let _ = fs::remove_file(self.folder.join(name));
        }
        let _ = fs::remove_dir_all(self.folder.join("blobs"));
        if !self.was_there {
            let _ = fs::remove_dir(self.folder);
        }
    }
}

fn fill(args: &Args, file: &File, bundle: &Bundle, emit: Emit<'_>) -> Outcome<()> {
    let blobs = args.oci.join("blobs/sha256");
    let failed = |path: &Path| format!("cannot write {}", path.display());
    let images = &bundle.index.content.images;
    let wanted: BTreeSet<_> = images
        .iter()
        .flat_map(|image| {
            [image.manifest, image.config].into_iter().chain(image.layers.iter().map(|layer| layer.blob))
        })
        .collect();
    let total = wanted.iter().filter_map(|digest| bundle.index.blob(digest)).map(|blob| blob.len).sum();
    emit(Event::Started { work: "exporting".to_owned(), total, of: "of packed images" });
    for digest in wanted {
        copy(&args.file, file, bundle, digest, &blobs.join(digest.hex()), emit)?;
    }
    emit(Event::Ended);
    let index = manifest::render_index(images).explain(|| "cannot make index.json")?;
    // Last: without these two files it is no layout yet.
    for (name, bytes) in
        [("index.json", index), ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())]
    {
        let path = args.oci.join(name);
        fs::write(&path, bytes).explain(|| failed(&path))?;
    }
    Ok(())
}

fn copy(
    bundle_path: &Path,
    file: &File,
    bundle: &Bundle,
    digest: bundle_spec::digest::Digest,
    to: &Path,
    emit: Emit<'_>,
) -> Outcome<()> {
    let unreadable = |error| Failure::unreadable_bundle(bundle_path, error);
    let mut reader = bundle.blob(file, &digest).map_err(unreadable)?;
    let len = reader.remaining();
    let mut target = File::create(to).explain(|| format!("cannot write {}", to.display()))?;
    match io::copy(&mut reader, &mut target) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(unreadable(blob_error(digest, error)));
        }
        Err(error) => return Err(Failure::new(format!("cannot write {}", to.display())).because(error)),
    }
    emit(Event::Advanced(len));
    Ok(())
}
