//! Writes a bundle as planned: launcher, stub, project files, engine, images, index. The plan has decided everything;
//! what can still go wrong is reading, writing, and layers that are not what their image says.

use std::collections::HashMap;
use std::fs::{self, File};

use bundle_spec::codec;
use bundle_spec::digest::Digest;
use bundle_spec::feature;
use bundle_spec::index::{Content, Index};
use bundle_spec::project::{EngineParts, Image, Layer, Project, ProjectFile};
use bundle_spec::writer::BundleWriter;

use crate::engine_parts::EngineFiles;
use crate::event::{Emit, Event};
use crate::image::layer::{self, CopyError, Effort};
use crate::image::{SourceImage, SourceLayer};
use crate::key::{self, SigningKey};
use crate::launcher;
use crate::manifest;
use crate::outcome::{Explain, Failure, Outcome};
use crate::output::Output;
use crate::plan::Plan;

/// zstd window of the engine's parts, as a power of two: the installer unpacks them in little memory.
const ENGINE_WINDOW_LOG: u32 = 23;

type Writer<'f> = BundleWriter<&'f File>;

/// Writes the bundle and gives it its name. Whatever fails, nothing is left behind.
pub fn write(plan: &Plan, key: Option<&SigningKey>, emit: Emit<'_>) -> Outcome<Index> {
    let output = Output::create(&plan.output)?;
    emit(Event::Started { work: "packing".to_owned(), total: plan.work(), of: plan.work_is() });
    let filled = fill(plan, output.file(), emit);
    emit(Event::Ended);
    let published = filled.and_then(|index| {
        match key {
            Some(key) => key::publish(output, &plan.output, key)?,
            None => output.publish()?,
        }
        Ok(index)
    });
    published.map_err(|failure| failure.writing_to(&plan.output))
}

fn fill(plan: &Plan, file: &File, emit: Emit<'_>) -> Outcome<Index> {
    let failed = || format!("cannot write {}", plan.output.display());
    let stubs = std::slice::from_ref(&plan.stub);
    let launcher = launcher::render(&plan.project.definition.app, stubs)
        .map_err(|reason| Failure::new("cannot make the launcher").because(reason))?;
    let mut writer = BundleWriter::new(file, &launcher).explain(failed)?;
    writer.stub(&plan.stub.arch, &plan.stub.bytes).explain(failed)?;
    let files = project_files(plan, &mut writer)?;
    let engine = match &plan.engine {
        Some(engine) => Some(engine_parts(engine, &mut writer, plan.effort, emit)?),
        None => None,
    };
    let layers = layers(plan, &mut writer, emit)?;
    let images =
        plan.images.iter().map(|source| image(source, &layers, &mut writer)).collect::<Outcome<_>>()?;
    let (_, index) = writer.finish(content(plan, files, engine, images)).explain(failed)?;
    Ok(index)
}

fn content(plan: &Plan, files: Vec<ProjectFile>, engine: Option<EngineParts>, images: Vec<Image>) -> Content {
    let definition = plan.project.definition.clone();
    let project = Project {
        name: definition.compose.project,
        compose_file: plan.project.compose_file.clone(),
        profiles: definition.compose.profiles,
        services: plan.services.clone(),
        files,
        directories: definition.directories,
        footprint: plan.footprint.clone(),
    };
    let mut content = Content {
        packed_by: concat!("airlift ", env!("CARGO_PKG_VERSION")).to_owned(),
        created: plan.created,
        app: definition.app,
        project,
        images,
        engine,
        questions: definition.questions,
        values: definition.values,
        requirements: definition.requirements,
        checks: definition.checks,
        links: definition.links,
        features: Vec::new(),
        actions: definition.actions,
        tls: definition.tls,
        public_ports: definition.public_ports,
    };
    content.features = feature::needed_by(&content);
    content
}

fn project_files(plan: &Plan, writer: &mut Writer<'_>) -> Outcome<Vec<ProjectFile>> {
    let pack = |file: &crate::files::PlannedFile| {
        let bytes = fs::read(&file.source).explain(|| format!("cannot read {}", file.source.display()))?;
        let stored = codec::compress_document(&bytes)
            .explain(|| format!("cannot compress {}", file.source.display()))?;
        let blob = writer.blob(&stored).explain(|| format!("cannot pack {}", file.path))?;
        Ok(ProjectFile {
            path: file.path.clone(),
            blob,
            len: bytes.len() as u64,
            mode: file.mode,
            template: file.template,
            owner: file.owner,
        })
    };
    plan.project.picked.files.iter().map(pack).collect()
}

fn engine_parts(
    engine: &EngineFiles,
    writer: &mut Writer<'_>,
    effort: Effort,
    emit: Emit<'_>,
) -> Outcome<EngineParts> {
    let failed = || "cannot pack the engine";
    emit(Event::Working("engine".to_owned()));
    let mut sink = writer.begin_blob().explain(failed)?;
    let mut encoder =
        effort.encoder(&mut sink, engine.archive.tar_len(), ENGINE_WINDOW_LOG).explain(failed)?;
    engine.archive.write(&mut encoder, emit)?;
    encoder.finish().explain(failed)?;
    let archive = sink.finish().explain(failed)?;

    let failed = || "cannot pack the Compose plugin";
    emit(Event::Working("Compose plugin".to_owned()));
    let mut plugin = File::open(&engine.compose).explain(failed)?;
    let mut sink = writer.begin_blob().explain(failed)?;
    let mut encoder = effort.encoder(&mut sink, engine.compose_len, ENGINE_WINDOW_LOG).explain(failed)?;
    std::io::copy(&mut plugin, &mut encoder).explain(failed)?;
    encoder.finish().explain(failed)?;
    let compose = sink.finish().explain(failed)?;
    emit(Event::Advanced(engine.compose_len));
    Ok(EngineParts {
        version: engine.archive.version.clone(),
        archive,
        archive_unpacked_len: engine.archive.unpacked_len(),
        compose,
        compose_len: engine.compose_len,
    })
}

/// Packs every distinct layer once.
fn layers(plan: &Plan, writer: &mut Writer<'_>, emit: Emit<'_>) -> Outcome<HashMap<Digest, Layer>> {
    let distinct = plan.distinct_layers();
    let mut packed = HashMap::new();
    for (number, (image, layer)) in distinct.iter().enumerate() {
        let part = format!("layer {} of {} ({})", number + 1, distinct.len(), image.reference);
        emit(Event::Working(part.clone()));
        let done = pack_layer(image, layer, writer, plan.effort, emit)?;
        emit(Event::Finished { part, from: done.tar_len, to: done.stored_len });
        packed.insert(layer.diff_id, done);
    }
    Ok(packed)
}

fn pack_layer(
    image: &SourceImage,
    source: &SourceLayer,
    writer: &mut Writer<'_>,
    effort: Effort,
    emit: Emit<'_>,
) -> Outcome<Layer> {
    let name = || format!("layer {} of {} in {}", source.diff_id.short(), image.reference, image.origin);
    let failed = || format!("cannot pack {}", name());
    let stored = || source.tree.reader(&source.path);
    let (reader, len) = stored()?;
    let tar_len = layer::tar_len(reader, len).explain(failed)?;
    let mut sink = writer.begin_blob().explain(failed)?;
    let mut counted = Counted { inner: &mut sink, count: 0 };
    let passed =
        layer::copy(stored()?.0, tar_len, &mut counted, effort, emit).map_err(|error| match error {
            CopyError::Sink(error) => {
                Failure::new("cannot write the bundle").because(error).hint("is the disk full?")
            }
            error @ CopyError::Source(_) => {
                Failure::damaged(failed()).because(error).hint("save the image again")
            }
        })?;
    let stored_len = counted.count;
    let blob = sink.finish().explain(failed)?;
    if passed.diff_id != source.diff_id {
        return Err(Failure::damaged(format!("{} is damaged", name()))
            .because(format!(
                "its content has the digest {}, its image says {}",
                passed.diff_id, source.diff_id
            ))
            .hint("save the image again"));
    }
    let layer = Layer {
        diff_id: source.diff_id,
        blob,
        stored_len,
        tar_len: passed.tar_len,
        unpacked_len: passed.unpacked_len,
        entries: passed.entries,
    };
    Ok(layer)
}

fn image(source: &SourceImage, packed: &HashMap<Digest, Layer>, writer: &mut Writer<'_>) -> Outcome<Image> {
    let failed = || format!("cannot pack the description of {}", source.reference);
    let layer = |layer: &SourceLayer| {
        packed
            .get(&layer.diff_id)
            .cloned()
            .ok_or_else(|| Failure::new(failed()).because("a layer was left out"))
    };
    let layers = source.layers.iter().map(layer).collect::<Outcome<Vec<_>>>()?;
    let config = writer.blob(&source.config).explain(failed)?;
    let described = layers.iter().map(|packed| (packed.blob, packed.stored_len));
    let bytes = manifest::render((config, source.config.len() as u64), described).explain(failed)?;
    let manifest = writer.blob(&bytes).explain(failed)?;
    Ok(Image {
        reference: source.reference.clone(),
        platform: source.facts.platform(),
        manifest,
        manifest_len: bytes.len() as u64,
        config,
        layers,
    })
}

/// Counts what the inner writer accepted.
struct Counted<W> {
    inner: W,
    count: u64,
}

impl<W: std::io::Write> std::io::Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
