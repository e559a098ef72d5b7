//! The command line.

use std::io::{IsTerminal as _, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use hearback::app::{self, App};
use hearback::clock::Clock;
use hearback::config::Config;
use hearback::error::{Error, Result};
use hearback::people::{self, NewAccount, PasswordHash, Role};
use hearback::{demo, doctor, state, text};

/// Needs less memory for each open page than the allocator of glibc, and returns it to the system after a burst. Built
/// with `no_thp`, because huge pages would almost double the idle memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Hearback: record it once, hear back from everyone.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Hearback reads its settings from the environment (HEARBACK_LISTEN, HEARBACK_URL, \
                  HEARBACK_DATA, DATABASE_URL, …) or from the file that HEARBACK_CONFIG names."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    WithSettings(CommandWithSettings),
    /// Serve a temporary workspace with sample people, updates and comments; ignore all settings
    /// except HEARBACK_FFMPEG
    Demo {
        /// The address to listen on
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Keep the workspace in this folder and reuse it next time
        #[arg(long, value_name = "FOLDER")]
        keep: Option<PathBuf>,
    },
}

/// A command that reads the settings.
#[derive(Subcommand)]
enum CommandWithSettings {
    /// Run the server (the default); print its address and, until the first account exists, the set-up link
    Serve {
        /// The address to listen on, instead of HEARBACK_LISTEN
        #[arg(long)]
        listen: Option<SocketAddr>,
    },
    /// Check the settings and the services that they name; print how to fix each problem; exit with status 1 if there
    /// is a problem
    Doctor,
    /// Add accounts and create password reset links
    #[command(subcommand)]
    Person(PersonCommand),
    /// Create API tokens
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Subcommand)]
enum PersonCommand {
    /// Add an account; without --password-stdin, print a link for setting the password, valid for
    /// one hour
    Add {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// Make the person an admin, who can invite and deactivate people and change their roles
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Print a link for setting a new password, valid for one hour
    Reset {
        #[arg(long)]
        email: String,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Create a token and print only the token
    Add {
        /// Email address of the person on whose behalf the token acts
        #[arg(long)]
        person: String,
        /// Name of the token
        #[arg(long)]
        name: String,
    },
}

#[actix_web::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage_error(&error),
    };
    // The data folder contains password hashes and the signing key. The umask protects new files
    // even if others can read the folder itself.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match cli.command {
        Some(Command::Demo { listen, keep }) => {
            exit_code(demo::serve(listen, keep.as_deref()).await)
        }
        Some(Command::WithSettings(command)) => run_with_settings(command).await,
        None => run_with_settings(CommandWithSettings::Serve { listen: None }).await,
    }
}

async fn run_with_settings(command: CommandWithSettings) -> ExitCode {
    let config = match Config::load() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    init_logging(&config);
    let result = match command {
        CommandWithSettings::Serve { listen } => {
            serve(Config {
                listen: listen.unwrap_or(config.listen),
                ..config
            })
            .await
        }
        CommandWithSettings::Doctor => return run_doctor(&config).await,
        CommandWithSettings::Person(PersonCommand::Add {
            email,
            name,
            admin,
            password_stdin,
        }) => add_person(&config, &email, &name, admin, password_stdin).await,
        CommandWithSettings::Person(PersonCommand::Reset { email }) => {
            reset_person(&config, &email).await
        }
        CommandWithSettings::Token(TokenCommand::Add { person, name }) => {
            add_token(&config, &person, &name).await
        }
    };
    exit_code(result)
}

fn exit_code(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", describe_error(&error));
            ExitCode::FAILURE
        }
    }
}

/// Prints clap's message. If the command is unknown, also lists the available commands.
fn usage_error(error: &clap::Error) -> ExitCode {
    if error.kind() != ErrorKind::InvalidSubcommand {
        error.exit();
    }
    let mut known = Cli::command();
    for word in std::env::args().skip(1) {
        match known.find_subcommand(&word) {
            Some(below) => known = below.clone(),
            None => break,
        }
    }
    eprintln!("{error}\n{}", known.render_help());
    ExitCode::from(2)
}

/// Formats an error with its internal cause. Only the operator uses the command line, so the cause
/// can be shown.
fn describe_error(error: &Error) -> String {
    match error.cause() {
        Some(cause) => format!("{} Cause: {cause}", error.detail()),
        None => error.detail(),
    }
}

fn init_logging(config: &Config) {
    // The fallback is never used, because `Config` has already checked the filter.
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log).unwrap_or_default();
    // Do not report failed log writes. Otherwise, if standard error is closed, each log line would cause a panic.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

async fn serve(config: Config) -> Result<()> {
    if let Some(file) = &config.test_clock {
        tracing::warn!(
            file = %file.display(),
            "HEARBACK_TEST_CLOCK is set: all times are read from the file that it names; \
             only tests may use this setting"
        );
    }
    if config.url.is_none() {
        tracing::warn!(
            "HEARBACK_URL is not set, so links begin with http:// and cookies are not restricted \
             to HTTPS. If an HTTPS proxy is in front of Hearback, set HEARBACK_URL to its address, \
             for example https://hearback.example.org"
        );
    }
    let clock = make_clock(&config);
    let app = App::build(config, clock).await?;
    let (address, link) = app.start_links().await?;
    app::print(format_args!("Hearback is listening on {address}"));
    if let Some(link) = link {
        app::print(format_args!("Set-up link: {link}"));
    }
    app.run().await
}

async fn run_doctor(config: &Config) -> ExitCode {
    let lines = doctor::run_checks(config).await;
    for line in &lines {
        println!(
            "{} {}",
            if line.passed { "ok  " } else { "FAIL" },
            line.text
        );
    }
    if lines.iter().all(|line| line.passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn add_person(
    config: &Config,
    email: &str,
    name: &str,
    admin: bool,
    password_stdin: bool,
) -> Result<()> {
    let email = text::parse_email(email).map_err(|error| Error::invalid("--email", error))?;
    let name =
        text::clean_line(name, text::MAX_NAME).map_err(|error| Error::invalid("--name", error))?;
    let password = if password_stdin {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        Some(PasswordHash::new(text.trim_end_matches(['\r', '\n']), &[&name, &email]).await?)
    } else {
        None
    };
    let (db, clock) = (state::open_db(config).await?, make_clock(config));
    let mut tx = db.begin().await?;
    let role = if admin { Role::Admin } else { Role::Member };
    let link = password.is_none();
    let id = people::add(
        &mut tx,
        &clock,
        &NewAccount {
            email,
            name,
            role,
            password,
            time_zone: "UTC".into(),
        },
    )
    .await?;
    let secret = if link {
        Some(people::create_reset_link(&mut tx, &clock, &id).await?)
    } else {
        None
    };
    tx.commit().await?;
    if let Some(secret) = secret {
        println!("{}/resets/{secret}", base_url(config));
    }
    Ok(())
}

async fn reset_person(config: &Config, email: &str) -> Result<()> {
    let (db, clock) = (state::open_db(config).await?, make_clock(config));
    let mut tx = db.begin().await?;
    let account = people::by_email(&mut tx, email)
        .await?
        .ok_or_else(|| no_such_person(email))?;
    let secret = people::create_reset_link(&mut tx, &clock, &account.id).await?;
    tx.commit().await?;
    println!("{}/resets/{secret}", base_url(config));
    Ok(())
}

async fn add_token(config: &Config, email: &str, name: &str) -> Result<()> {
    let name =
        text::clean_line(name, text::MAX_NAME).map_err(|error| Error::invalid("--name", error))?;
    let (db, clock) = (state::open_db(config).await?, make_clock(config));
    let mut tx = db.begin().await?;
    let account = people::by_email(&mut tx, email)
        .await?
        .ok_or_else(|| no_such_person(email))?;
    let (_, token) = people::create_token(&mut tx, &clock, &account.id, &name).await?;
    tx.commit().await?;
    println!("{token}");
    Ok(())
}

fn make_clock(config: &Config) -> Clock {
    config
        .test_clock
        .clone()
        .map_or_else(Clock::default, Clock::from_file)
}

fn no_such_person(email: &str) -> Error {
    Error::Conflict(format!(
        "There is no active account with the email address {email}. Add one with `hearback person add`."
    ))
}

fn base_url(config: &Config) -> String {
    config
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.listen))
}
