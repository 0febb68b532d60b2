//! `airlift pack`: from a definition to an installer file.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use crate::assemble;
use crate::definition;
use crate::event::{Emit, Event};
use crate::image::layer::Effort;
use crate::key::{self, PasswordArgs, SigningKey};
use crate::outcome::{Failure, Outcome};
use crate::plan::{self, EngineChoice, Request};
use crate::quantity::{bytes, counted};

/// Level of `--best`.
const BEST: i32 = 19;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition
    #[arg(short = 'f', long = "definition", value_name = "FILE", default_value = definition::FILE_NAME)]
    pub definition: PathBuf,
    /// The installer file [default: NAME-VERSION.run]
    #[arg(short, long, value_name = "OUT.run")]
    pub output: Option<PathBuf>,
    /// Compression level, 1 to 22
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(i32).range(1..=22))]
    level: i32,
    /// Smallest file, several times as slow; the same as --level 19
    #[arg(long, conflicts_with = "level")]
    best: bool,
    /// Docker's static archive, instead of the definition's
    #[arg(long, value_name = "FILE", requires = "engine_compose")]
    engine_docker: Option<PathBuf>,
    /// The Compose plugin, instead of the definition's
    #[arg(long, value_name = "FILE", requires = "engine_docker")]
    engine_compose: Option<PathBuf>,
    /// Carry no engine
    #[arg(long, conflicts_with_all = ["engine_docker", "engine_compose"])]
    no_engine: bool,
    /// Compression threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
    /// Sign with this secret key; writes OUT.run.minisig as well
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
    /// Print warnings and errors only
    #[arg(short, long)]
    pub quiet: bool,
}

impl Args {
    /// The arguments of a plain `airlift pack -f FILE -o FILE`.
    pub fn plain(definition: PathBuf, output: Option<PathBuf>) -> Self {
        Self {
            definition,
            output,
            level: 9,
            best: false,
            engine_docker: None,
            engine_compose: None,
            no_engine: false,
            threads: None,
            sign: None,
            password: PasswordArgs::default(),
            quiet: false,
        }
    }

    fn request(&self) -> Request {
        let cores =
            || thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
        let engine = match (self.no_engine, &self.engine_docker, &self.engine_compose) {
            (true, ..) => EngineChoice::None,
            (_, Some(docker), Some(compose)) => {
                EngineChoice::Files { docker: docker.clone(), compose: compose.clone() }
            }
            _ => EngineChoice::Defined,
        };
        Request {
            definition: self.definition.clone(),
            output: self.output.clone(),
            effort: Effort::new(
                if self.best { BEST } else { self.level },
                self.threads.unwrap_or_else(cores),
            ),
            engine,
        }
    }
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let output = pack(args, emit)?;
    crate::report::data(&output.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Packs, and says where the bundle is.
pub fn pack(args: &Args, emit: Emit<'_>) -> Outcome<PathBuf> {
    let start = Instant::now();
    // Before the work: nobody wants to learn of a wrong password after it.
    let key = args.sign.as_deref().map(|path| SigningKey::read(path, &args.password)).transpose()?;
    let plan = plan::make(&args.request(), emit)?;
    emit(Event::Step(plan.description()));
    let index = assemble::write(&plan, key.as_ref(), emit)?;
    let len = std::fs::metadata(&plan.output)
        .map_err(|error| Failure::new(format!("cannot read {}", plan.output.display())).because(error))?
        .len();
    emit(Event::Step(format!(
        "{}: {} with the installer, from {} {}; {}, {:.1} seconds",
        plan.output.display(),
        bytes(len),
        bytes(plan.work()),
        plan.work_is(),
        counted(index.content.images.len(), "image"),
        start.elapsed().as_secs_f64()
    )));
    match (&key, key::has_detached(&plan.output)) {
        (Some(key), _) => emit(Event::Step(format!("signed with {}", key.public))),
        (None, Some(old)) => emit(Event::Warning(format!(
            "{} belongs to an older file: this one is not signed",
            old.display()
        ))),
        (None, None) => {}
    }
    Ok(plan.output)
}
