//! A browser that a test drives: chromium through chromedriver, spoken to in plain WebDriver.

use super::process::signal;
use super::require;
use super::wait::{LOOK_AGAIN, PATIENCE, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;
use tempfile::TempDir;

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Set by the test runner where a browser is missing and may be.
const SKIP_VARIABLE: &str = "PLANWATCH_SKIP_BROWSER";

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// They run.
    On,
    /// The browser's owner has switched them off.
    Off,
}

/// A running browser with a profile of its own; dropping it ends it and removes the profile.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    address: String,
    session: Option<String>,
    _profile: TempDir,
}

/// Whether there is a browser; says on standard error what is missing, and fails where nothing may be.
pub fn browser_is_here() -> bool {
    programs().is_some()
}

fn programs() -> Option<(PathBuf, PathBuf)> {
    let skips = std::env::var_os(SKIP_VARIABLE).is_some_and(|skip| !skip.is_empty());
    let found = (require::on_path("chromium"), require::on_path("chromedriver"));
    match found {
        (Some(browser), Some(driver)) if !skips => Some((browser, driver)),
        _ => {
            bus::testing::missing(
                "chromium and chromedriver are not both here: install chromium and chromium-driver",
            );
            None
        }
    }
}

impl Browser {
    /// Starts a browser.
    #[track_caller]
    pub fn start(scripts: Scripts) -> Browser {
        let (browser, program) = programs().expect("a test asks first whether there is a browser");
        let profile = tempfile::tempdir().expect("a temporary directory");
        let (driver, port) = start_driver(&program, profile.path());
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let mut started = Browser {
            driver,
            agent,
            address: format!("http://127.0.0.1:{port}"),
            session: None,
            _profile: profile,
        };
        let folder = format!("--user-data-dir={}", started._profile.path().join("profile").display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            &folder,
        ];
        let mut options = json!({"binary": browser, "args": arguments});
        if scripts == Scripts::Off {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}});
        let session = started
            .call("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}))
            .unwrap_or_else(|error| panic!("the browser does not start: {error}"));
        let id = session["sessionId"].as_str().expect("a session has an id");
        started.session = Some(format!("/session/{id}"));
        started
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}{}{path}", self.address, self.session.as_deref().unwrap_or_default());
        let sent = match method {
            "GET" => self.agent.get(url).call(),
            "DELETE" => self.agent.delete(url).call(),
            _ => self.agent.post(url).send_json(body),
        };
        let mut response = sent.map_err(|error| error.to_string())?;
        let answer: Value = response.body_mut().read_json().map_err(|error| error.to_string())?;
        let value = &answer["value"];
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value.clone()),
        }
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Opens a page and waits until it is loaded.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.command("POST", "/url", &json!({"url": url}));
    }

    /// The address of the page.
    #[track_caller]
    pub fn url(&self) -> String {
        self.command("GET", "/url", &Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// Forgets all cookies of the page.
    #[track_caller]
    pub fn forget_cookies(&self) {
        self.command("DELETE", "/cookie", &Value::Null);
    }

    /// Gives what a script's `return` gives.
    #[track_caller]
    pub fn evaluate(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until a script's `return` gives true.
    #[track_caller]
    pub fn wait(&self, what: &str, script: &str) {
        until(what, || self.evaluate(script) == true);
    }

    fn elements(&self, selector: &str) -> Result<Vec<String>, String> {
        let found = self.call("POST", "/elements", &json!({"using": "css selector", "value": selector}))?;
        let of = |element: &Value| element[ELEMENT].as_str().map(str::to_owned);
        Ok(found.as_array().map_or_else(Vec::new, |found| found.iter().filter_map(of).collect()))
    }

    /// How many elements there are.
    #[track_caller]
    pub fn count(&self, selector: &str) -> usize {
        self.elements(selector).unwrap_or_else(|error| panic!("{selector}: {error}")).len()
    }

    /// Does something with an element as soon as it is there; a page that changes meanwhile is tried again.
    #[track_caller]
    fn act(&self, selector: &str, act: impl Fn(&str) -> Result<Value, String>) -> Value {
        let mut last = String::from("it is not there");
        let done = until_some_or(&mut last, || {
            let element = self.elements(selector)?.into_iter().next().ok_or("it is not there")?;
            act(&format!("/element/{element}"))
        });
        done.unwrap_or_else(|| panic!("{selector}: {last}"))
    }

    /// The text of an element as a person sees it.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let text = self.act(selector, |element| self.call("GET", &format!("{element}/text"), &Value::Null));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks on an element.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.act(selector, |element| self.call("POST", &format!("{element}/click"), &json!({})));
    }

    /// Presses keys in an element.
    #[track_caller]
    pub fn press(&self, selector: &str, keys: &str) {
        self.act(selector, |element| self.call("POST", &format!("{element}/value"), &json!({"text": keys})));
    }

    #[track_caller]
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Makes the page as wide and high as a device's.
    #[track_caller]
    pub fn resize(&self, width_px: u32, height_px: u32) {
        let device = json!({"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &device);
    }

    /// Shows the page as it is printed.
    #[track_caller]
    pub fn show_as_printed(&self) {
        self.devtools("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    }

    /// What the browser has complained about since this was last asked.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("POST", "/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().cloned().unwrap_or_default();
        let grave =
            entries.iter().filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")));
        grave.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session; a driver that were killed would leave it behind.
        if self.session.is_some() {
            let _ended_already = self.call("DELETE", "", &Value::Null);
        }
        signal(self.driver.id(), Signal::TERM);
        let begun = Instant::now();
        while self.driver.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < PATIENCE {
            std::thread::sleep(LOOK_AGAIN);
        }
        let _ended_already = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}

/// Tries until something succeeds or patience ends; the last failure is left in `last`.
fn until_some_or<T>(last: &mut String, mut attempt: impl FnMut() -> Result<T, String>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match attempt() {
            Ok(done) => return Some(done),
            Err(error) => *last = error,
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    None
}

#[track_caller]
fn start_driver(program: &Path, home: &Path) -> (Child, u16) {
    let mut driver = Command::new(program)
        .arg("--port=0")
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver runs");
    let stdout = driver.stdout.take().expect("standard output is a pipe");
    let (sender, ports) = mpsc::channel();
    // It reads on to the end: a driver whose pipe is full would stand still.
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let port = line
                .split_once("started successfully on port ")
                .and_then(|(_, port)| port.trim_end_matches('.').parse::<u16>().ok());
            if let Some(port) = port {
                let _nobody_asks_twice = sender.send(port);
            }
        }
    });
    let Ok(port) = ports.recv_timeout(PATIENCE) else {
        let _ended_already = driver.kill();
        let _reaped = driver.wait();
        panic!("chromedriver does not say its port");
    };
    (driver, port)
}
