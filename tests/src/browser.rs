//! A real browser without a screen, driven over WebDriver.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::{bundle, parts, wait};

/// What WebDriver calls an element by.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    session: String,
    agent: Agent,
    folder: TempDir,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        parts::packages(&["chromium", "chromium-driver"]);
        let folder = parts::scratch();
        let port = bundle::free_port();
        let log = File::create(folder.path().join("log")).unwrap();
        let driver = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "chromedriver", &format!("--port={port}")])
            .env("TMPDIR", folder.path())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start chromedriver: {error}"));
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)));
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}"),
            agent: config.build().into(),
            folder,
        };
        let ready = || (browser.try_get("/status")?["value"]["ready"] == true).then_some(());
        wait::until("chromedriver", Duration::from_secs(30), ready, || browser.log());
        let options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
            "--no-first-run", "--window-size=1200,800",
        ]});
        let wanted = json!({"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}});
        let session = browser.post("/session", &wanted);
        let id = session["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {session}\n{}", browser.log()));
        browser.session = format!("{}/session/{id}", browser.session);
        browser
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn try_get(&self, path: &str) -> Option<Value> {
        self.agent.get(format!("{}{path}", self.session)).call().ok()?.body_mut().read_json().ok()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let mut answer =
            self.agent.post(&url).send_json(body).unwrap_or_else(|error| panic!("POST {url}: {error}"));
        let answer: Value = answer.body_mut().read_json().unwrap();
        answer["value"].clone()
    }

    /// Opens a page.
    ///
    /// # Panics
    /// When the browser cannot load it.
    pub fn open(&self, url: &str) {
        let answer = self.post("/url", &json!({"url": url}));
        assert!(answer.is_null(), "cannot open {url}: {answer}");
    }

    /// The element with this CSS selector, once it is there and can be seen.
    ///
    /// # Panics
    /// When it does not appear in time.
    #[must_use]
    pub fn element(&self, selector: &str) -> Element<'_> {
        let find = || {
            let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
            let element = Element { browser: self, id: found[ELEMENT].as_str()?.to_owned() };
            (self.try_get(&format!("/element/{}/displayed", element.id))?["value"] == true).then_some(element)
        };
        wait::until(&format!("`{selector}` on the page"), Duration::from_secs(20), find, || self.source())
    }

    /// Waits until the element's text has this in it.
    ///
    /// # Panics
    /// When it has not in time.
    pub fn wait_for(&self, selector: &str, text: &str) {
        let shown = || self.element(selector).text().contains(text).then_some(());
        wait::until(&format!("`{text}` in `{selector}`"), Duration::from_secs(30), shown, || self.source());
    }

    /// What can be read on the page, for messages.
    fn source(&self) -> String {
        let script = json!({"script": "return document.body.innerText", "args": []});
        self.post("/execute/sync", &script).to_string()
    }
}

/// An element of the open page.
#[derive(Debug)]
pub struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Element<'_> {
    /// Types into it.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn write(&self, text: &str) {
        let answer = self.browser.post(&format!("/element/{}/value", self.id), &json!({"text": text}));
        assert!(answer.is_null(), "cannot type: {answer}");
    }

    /// Clicks on it.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn click(&self) {
        let answer = self.browser.post(&format!("/element/{}/click", self.id), &json!({}));
        assert!(answer.is_null(), "cannot click: {answer}");
    }

    /// What can be read in it; nothing if it is gone by now.
    #[must_use]
    pub fn text(&self) -> String {
        let answer = self.browser.try_get(&format!("/element/{}/text", self.id));
        answer.and_then(|answer| Some(answer["value"].as_str()?.to_owned())).unwrap_or_default()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; the driver alone would leave it running.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
