// The page: login, conversations, and answers shown as they arrive.
"use strict";

const TEXTS = {
  zh: {
    other: "English", welcome: "欢迎使用 LLM Chat", intro: "您的对话和数据都留在本机构的服务器上。",
    username: "用户名", password: "密码", login: "登录", logout: "退出", new: "新对话", send: "发送",
    ask: "输入消息，回车发送", note: "回答由模型生成，请核实重要内容。", hello: "今天想聊点什么？", helloMore: "输入问题，开始一段新的对话。",
    ready: "就绪", busy: "正在回答…", unreachable: "无法连接服务器", refused: "用户名或密码错误", expired: "登录已过期，请重新登录",
    failed: "模型没有回答：",
  },
  en: {
    other: "中文", welcome: "Welcome to LLM Chat", intro: "Your conversations stay on your own server.",
    username: "User name", password: "Password", login: "Log in", logout: "Log out", new: "New chat", send: "Send",
    ask: "Write a message, Enter sends it", note: "Answers are made by a model. Check what matters.", hello: "What is on your mind?",
    helloMore: "Ask a question to start a new chat.", ready: "Ready", busy: "Answering…", unreachable: "The server cannot be reached",
    refused: "Wrong user name or password", expired: "Please log in again", failed: "The model did not answer: ",
  },
};

const $ = (id) => document.getElementById(id);
const remembered = (key) => localStorage.getItem(key);
let language = remembered("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let token = remembered("token");
let conversation = null;
let status = "ready";
const text = (key) => TEXTS[language][key];

function showStatus(key) {
  status = key;
  $("status").textContent = text(key);
  $("status").dataset.state = key === "unreachable" ? "error" : key;
}

function showLanguage() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  $("message").placeholder = text("ask");
  $("send").setAttribute("aria-label", text("send"));
  $("language").textContent = text("other");
  showStatus(status);
}

function request(path, options = {}) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token || ""}` };
  return fetch((window.API_URL || "") + path, { ...options, headers });
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function addMessage(role, content) {
  document.querySelector(".empty")?.remove();
  if (role === "assistant") $("answer")?.removeAttribute("id");
  const made = element("div", { className: `message ${role}`, textContent: content });
  if (role === "assistant") made.id = "answer";
  $("messages").append(made);
  $("messages").scrollTop = $("messages").scrollHeight;
  return made;
}

function showEmpty() {
  const title = element("b", { textContent: text("hello") });
  title.dataset.text = "hello";
  const more = element("span", { textContent: text("helloMore") });
  more.dataset.text = "helloMore";
  const icon = element("img", { src: "icon.svg", alt: "", width: 56, height: 56 });
  $("messages").replaceChildren(element("div", { className: "empty" }, icon, title, more));
}

async function listConversations() {
  const response = await request("/api/conversations");
  if (response.status === 401) return leave("expired");
  const items = (await response.json()).map(({ id, title }) => {
    const button = element("button", { type: "button", textContent: title, title, onclick: () => openConversation(id) });
    button.setAttribute("aria-current", id === conversation);
    return element("li", {}, button);
  });
  $("conversations").replaceChildren(...items);
}

async function openConversation(id) {
  conversation = id;
  showEmpty();
  if (id !== null) {
    const response = await request(`/api/conversations/${id}`);
    for (const { role, content } of await response.json()) addMessage(role, content);
  }
  await listConversations();
  $("message").focus();
}

function enter() {
  $("welcome").hidden = true;
  $("workspace").hidden = $("logout").hidden = false;
  openConversation(null).catch(() => showStatus("unreachable"));
}

function leave(reason) {
  token = null;
  localStorage.removeItem("token");
  $("welcome").hidden = false;
  $("workspace").hidden = $("logout").hidden = true;
  $("login-error").textContent = reason ? text(reason) : "";
  $($("username").value ? "password" : "username").focus();
}

async function logIn() {
  $("login").disabled = true;
  $("login-error").textContent = "";
  try {
    const body = JSON.stringify({ username: $("username").value, password: $("password").value });
    const response = await request("/api/login", { method: "POST", body });
    if (!response.ok) return leave(response.status === 401 ? "refused" : "unreachable");
    token = (await response.json()).token;
    localStorage.setItem("token", token);
    $("password").value = "";
    showStatus("ready");
    enter();
  } catch {
    leave("unreachable");
  } finally {
    $("login").disabled = false;
  }
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line.slice("data: ".length));
  }
}

async function send() {
  const message = $("message").value.trim();
  if (!message || status === "busy") return;
  $("message").value = "";
  fitMessage();
  addMessage("user", message);
  const answer = addMessage("assistant", "");
  answer.classList.add("busy");
  $("send").disabled = true;
  showStatus("busy");
  try {
    const body = JSON.stringify({ message, conversation });
    const response = await request("/api/chat", { method: "POST", body });
    if (response.status === 401) return leave("expired");
    if (!response.ok) throw new Error(response.status);
    for await (const event of events(response)) {
      if (event.conversation) conversation = event.conversation;
      if (event.delta) answer.textContent += event.delta;
      if (event.error) failed(answer, event.error);
      $("messages").scrollTop = $("messages").scrollHeight;
    }
    showStatus("ready");
    await listConversations();
  } catch (error) {
    failed(answer, error.message);
    showStatus("unreachable");
  } finally {
    answer.classList.remove("busy");
    $("send").disabled = false;
    if (status === "busy") showStatus("ready");
    $("message").focus();
  }
}

function failed(answer, reason) {
  answer.classList.add("failed");
  answer.textContent += text("failed") + reason;
}

function fitMessage() {
  $("message").style.height = "auto";
  $("message").style.height = `${$("message").scrollHeight}px`;
}

$("login-form").addEventListener("submit", (event) => { event.preventDefault(); logIn(); });
$("chat-form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
$("message").addEventListener("input", fitMessage);
$("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
});
$("new").addEventListener("click", () => openConversation(null));
$("logout").addEventListener("click", () => leave());
$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  showLanguage();
});

showLanguage();
if (token) enter(); else leave();
