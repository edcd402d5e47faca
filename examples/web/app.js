// The page around the models: the list, the picture, the address and the errors.
//
// A view (sampler.js, translator.js, asker.js) has the model's controls. It gives the page
//   draw()          draws the picture, as the controls are
//   parameters()    what the address keeps, {name: string}
//   restore(given)  takes them back from an address
//   roll(), play()  what the buttons and keys do
//   canvases, name(), describe(), python()

import { askerView } from "./asker.js";
import { downloadPng } from "./pictures.js";
import { messageOf, openNetwork } from "./runtime.js";
import { samplerView } from "./sampler.js";
import { translatorView } from "./translator.js";

const LARGEST = 560; // pixels of the picture's side on the screen
const PAUSE = 200; // milliseconds without a change before the slower things follow

const find = (id) => document.getElementById(id);
const easel = find("easel");
let models = [];
let view = null;
let shown = null; // the entry of the model that is on the page, or about to be

/** What a view may use of the page. */
const page = {
  find,

  /** Puts a template's controls on the page. */
  fill(id, template) {
    find(id).replaceChildren(document.getElementById(template).content.cloneNode(true));
    find(id).hidden = false;
  },

  /** Puts the view's figures on the easel. */
  place() {
    if (!view) return;
    easel.replaceChildren(...view.figures);
    fit();
  },

  /** Asks for a new picture. While one is being made, only the latest request is kept. */
  refresh() {
    wanted = true;
    if (!drawing) drawAll();
    later(writeAddress, PAUSE);
  },

  /**
   * Runs `job(isStale)` once nothing has changed for a moment; it is to end when it is stale. Of
   * jobs by one name only the latest goes on.
   */
  whenQuiet(name, job) {
    const token = (tokens[name] = {});
    const owner = view;
    const isStale = () => tokens[name] !== token || view !== owner;
    const run = () => !isStale() && job(isStale).then(showTime, fail);
    setTimeout(run, PAUSE);
  },

  fail,
};

let wanted = false;
let drawing = false;
const tokens = {};
const timers = new Map();

async function drawAll() {
  drawing = true;
  while (wanted) {
    wanted = false;
    const current = view;
    if (!current) continue;
    try {
      await current.draw();
      if (current !== view) continue; // Another model was chosen meanwhile.
      showTime();
      const canvas = current.canvases.at(-1);
      canvas?.setAttribute("aria-label", `${shown.model}: ${current.describe()}`);
      const python = current.python();
      find("python").hidden = !python;
      find("python").firstElementChild.textContent = python;
      easel.setAttribute("aria-busy", "false");
      // The first run is not timed: another one is, if nobody asks for any.
      if (current.milliseconds === undefined) page.whenQuiet("time", async () => page.refresh());
    } catch (error) {
      if (current === view) fail(error);
    }
  }
  drawing = false; // in the same breath as the last look at `wanted`, so that none is lost
}

function showTime() {
  const time = view?.milliseconds;
  find("milliseconds").textContent = time === undefined ? "–" : time.toFixed(time < 10 ? 1 : 0);
}

function later(job, milliseconds) {
  clearTimeout(timers.get(job));
  timers.set(job, setTimeout(job, milliseconds));
}

function fail(error) {
  find("alert").textContent = messageOf(error);
  find("alert").hidden = false;
}

// The address: #model=dcgan_fashion_mnist&seed=3

function readAddress() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

function writeAddress() {
  if (!view) return;
  const parameters = new URLSearchParams({ model: shown.name, ...view.parameters() });
  history.replaceState(null, "", `#${parameters}`);
}

/** Shows what the address says. */
async function follow() {
  const given = readAddress();
  // Models with classes have all the controls that there are.
  const first = models.find(({ class_names }) => class_names.length) ?? models[0];
  const entry = given.model ? models.find(({ name }) => name === given.model) : first;
  if (!entry) {
    if (!view) clearEasel("Choose one of the models.");
    fail(new Error(`There is no model “${given.model}” on this page.`));
    return;
  }
  try {
    if (entry !== shown) await open(entry);
  } catch (error) {
    if (entry !== shown) return; // Another one was chosen while this one came.
    shown = null;
    clearEasel(`${entry.model} could not be loaded.`);
    fail(error);
  }
  if (entry !== shown || !view) return;
  try {
    view.restore(given);
  } catch (error) {
    view.restore({});
    fail(error);
  }
}

async function open(entry) {
  shown = entry;
  view?.stop();
  view = null;
  describeModel(entry);
  clearEasel(`Loading ${entry.model} …`);
  const networks = {};
  for (const { port, path } of entry.files) networks[port] = await openNetwork(path);
  if (shown !== entry) return;
  const made = await viewOf(entry)(entry, networks, page);
  if (shown !== entry) return;
  view = made;
  page.place();
}

/** What shows a model: what it is told and what it makes decide, by its ports. */
function viewOf({ ports, directions }) {
  if (directions) return translatorView;
  const all = Object.values(ports);
  const takes = ({ inputs }) => inputs.map(({ control }) => control).join();
  const pictures = all.every(({ output }) => output.view === "picture");
  const isSampler = (port) => /^seed(,choice)?$/.test(takes(port)) && isSame(port, all[0]);
  return pictures && all.every(isSampler) ? samplerView : askerView;
}

const isSame = (a, b) => JSON.stringify(a.inputs) === JSON.stringify(b.inputs);

function clearEasel(text) {
  const status = document.createElement("p");
  status.id = "status";
  status.textContent = text;
  easel.replaceChildren(status);
  easel.setAttribute("aria-busy", "true");
  for (const id of ["controls", "sheet"]) find(id).replaceChildren();
  find("sheet").hidden = find("python").hidden = true;
  find("milliseconds").textContent = "–";
}

// Lists and facts

function listModels() {
  const items = models.map(({ name, model, year, data, thumbnail }) => {
    const link = document.createElement("a");
    link.href = `#model=${name}`;
    link.dataset.model = name;
    const image = document.createElement("img");
    Object.assign(image, { src: thumbnail, alt: "", width: 52, height: 52 });
    const label = document.createElement("span");
    const facts = [year, namesOf(data)].filter(Boolean).join(" · ");
    const words = model.split(/(?<=[a-z])(?=[A-Z])/).flatMap((word, i) => {
      return i ? [document.createElement("wbr"), word] : [word]; // lines may end between them
    });
    const strong = document.createElement("strong");
    strong.append(...words);
    label.append(strong, withText("small", facts));
    link.append(image, label);
    const item = document.createElement("li");
    item.append(link);
    return item;
  });
  find("models").replaceChildren(...items);
}

function describeModel(entry) {
  document.title = `${entry.model} on ${namesOf(entry.data)} – keras_gans in the browser`;
  find("name").replaceChildren(entry.model, " ", withText("small", namesOf(entry.data)));
  for (const link of find("models").querySelectorAll("a")) {
    const isCurrent = link.dataset.model === entry.name;
    link.setAttribute("aria-current", isCurrent);
    if (isCurrent) centre(find("models"), link); // the list is a row on small screens
  }
  const address = `https://arxiv.org/abs/${entry.arxiv}`;
  const paper = [`${entry.title}, ${entry.authors}, ${entry.year} (`];
  paper.push(linkTo(address, `arXiv:${entry.arxiv}`), ")");
  const data = entry.data.flatMap(({ name, url }, i) => [
    i ? ", " : "",
    url ? linkTo(url, name) : name,
  ]);
  if (entry.num_examples) data.push(`, ${entry.num_examples.toLocaleString("en")} examples`);
  const [first] = Object.values(entry.ports);
  const bytes = entry.files.reduce((sum, file) => sum + file.bytes, 0);
  const priors = { normal: "from N(0, 1)", uniform: "from U(−1, 1)" };
  const size = (shape) => shape.map((n) => n ?? "any").join(" × ");
  const words = ({ noun, shape, prior, control }) => {
    if (prior) return `${shape} ${noun} ${priors[prior]}`;
    return control === "picture" ? `${noun} of ${size(shape)}` : noun;
  };
  const takes = first.inputs.filter(({ control }) => control !== "choice").map(words).join(" and ");
  const makes = size(first.output.shape);
  const facts = {
    Paper: entry.arxiv ? paper : null,
    Data: data,
    "Licence of the data": [entry.dataset_license || "not said"],
    Model: [`${takes} to ${makes}; ${(bytes / 1e6).toFixed(2)} MB of .tflite`],
  };
  find("facts").replaceChildren(
    ...Object.entries(facts)
      .filter(([, content]) => content)
      .flatMap(([name, content]) => {
        const value = document.createElement("dd");
        value.append(...content);
        return [withText("dt", name), value];
      }),
  );
}

function centre(list, item) {
  list.scrollLeft = item.offsetLeft + (item.offsetWidth - list.clientWidth) / 2;
}

const namesOf = (data) => data.map(({ name }) => name).join(" and ");

function withText(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function linkTo(url, text) {
  const link = withText("a", text);
  link.href = url;
  return link;
}

/**
 * Gives each of the picture's pixels the same whole number of the screen's. A picture whose pixels
 * are so many times those of another is shown as large as that one.
 */
function fit() {
  if (!view) return;
  const canvases = view.canvases;
  const style = getComputedStyle(easel);
  const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  const figures = easel.querySelectorAll("figure").length;
  const between = (figures - 1) * 64;
  const room = (easel.clientWidth - padding - between) / figures;
  const side = Math.min(room, LARGEST) * devicePixelRatio;
  const scaled = (width) => Math.max(1, Math.floor(side / width)) * width;
  const widest = Math.max(...canvases.map(({ width }) => width));
  for (const canvas of canvases) {
    const width = scaled(widest % canvas.width ? canvas.width : widest);
    canvas.style.width = `${Math.min(width, side) / devicePixelRatio}px`;
  }
}

async function copyLink() {
  writeAddress();
  try {
    await navigator.clipboard.writeText(location.href);
    find("copy").textContent = "Copied";
    setTimeout(() => (find("copy").textContent = "Copy link"), 1500);
  } catch {
    fail("The browser does not let this page write to the clipboard. The address has the link.");
  }
}

function onKey(event) {
  const typing = event.target.closest("input:not([type='range'], [type='radio']), select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const action = { r: () => view?.roll(), p: () => view?.play() }[event.key.toLowerCase()];
  action?.();
}

async function start() {
  try {
    const response = await fetch("models.json");
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    models = (await response.json()).models;
  } catch (error) {
    clearEasel("");
    fail(`models.json can't be read (${messageOf(error)}). \`make web\` builds the page.`);
    return;
  }
  listModels();
  find("roll").addEventListener("click", () => view?.roll());
  find("download").addEventListener("click", () => view && downloadPng(view.canvases, view.name()));
  find("copy").addEventListener("click", copyLink);
  document.addEventListener("keydown", onKey);
  document.querySelector("[data-skip]").addEventListener("click", (event) => {
    event.preventDefault(); // The address is the picture's.
    find("stage").focus();
  });
  for (const type of ["click", "change", "hashchange"]) {
    addEventListener(type, () => (find("alert").hidden = true), { capture: true });
  }
  addEventListener("hashchange", follow);
  new ResizeObserver(fit).observe(easel);
  await follow();
}

start();
