// Controls by which a model is told something, one for each `control` of a kind in keras_gans.
//
// A control is made for one input of a port, as its card describes it (name, noun, shape, ...):
//   control(kind, context)   context: entry, page, changed(), picture() of the input beside it
// and returns
//   element       what stands among the controls
//   value()       the input as the network takes it, an array
//   get(), set()  what the address keeps of it, a string; `set()` without one begins anew
//   roll()        takes another value at random, where that means something
//   refresh()     draws itself anew, where it shows another input

import { classFromText, classToText, randomSeed } from "./controls.js";
import { MAX_SEED, drawLatents, parseSeed } from "./latents.js";
import { fetchPicture, makeCanvas, paint, readPicture, toValues } from "./pictures.js";

const sizeOf = (shape) => shape.reduce((product, n) => product * n, 1);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

function card(title, ...children) {
  const legend = make("legend", { textContent: title });
  return make("fieldset", { className: "card" }, legend, ...children);
}

const row = (...children) => make("div", { className: "row" }, ...children);
const note = (text) => make("p", { className: "note", textContent: text });
const titleOf = ({ name }) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");

function button(text, onClick, label) {
  const element = make("button", { type: "button", textContent: text });
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", onClick);
  return element;
}

/** A text field whose content `parse` makes a value of, or says why not. */
function field(kind, { page, changed }, start, parse) {
  const input = make("input", { name: kind.name, autocomplete: "off", spellcheck: false });
  input.setAttribute("aria-label", titleOf(kind));
  let current = parse(start);
  const take = (text) => {
    current = parse(text);
    input.value = text;
    input.removeAttribute("aria-invalid");
  };
  input.addEventListener("change", () => {
    try {
      take(input.value);
      changed();
    } catch (error) {
      input.setAttribute("aria-invalid", "true");
      page.fail(error);
    }
  });
  take(start);
  return { input, take, value: () => current, get: () => input.value, set: (t) => take(t ?? start) };
}

/** Numbers of a vector, with spaces or commas between. */
export function parseNumbers(text, size) {
  const values = text.split(/[\s,]+/).filter(Boolean).map(Number);
  if (values.length !== size || !values.every(Number.isFinite)) {
    throw new RangeError(`This must be ${size} numbers, not “${text}”.`);
  }
  return Float32Array.from(values);
}

/** Ids of words, filled up with padding: of the words themselves, or of their ids. */
export function parseWords(text, { shape: [length], vocabulary, words, padding }) {
  const ids = text.split(/[\s,]+/).filter(Boolean).map((part) => {
    const known = words.indexOf(part);
    return known >= 0 ? known : /^\d+$/.test(part) ? Number(part) : -1;
  });
  if (!ids.length || ids.length > length || !ids.every((id) => id >= 0 && id < vocabulary)) {
    const known = words.filter(Boolean).slice(0, 8).join(", ");
    const rule = known ? `words such as ${known}, or their ids` : "ids";
    throw new RangeError(
      `This must be 1 to ${length} ${rule} from 0 to ${vocabulary - 1}, not “${text}”.`,
    );
  }
  return Int32Array.from({ length }, (_, i) => ids[i] ?? padding);
}

function seed(kind, context) {
  const latentsOf = (text) => drawLatents(kind.prior, parseSeed(text), sizeOf(kind.shape));
  const own = field(kind, context, "0", latentsOf);
  own.input.inputMode = "numeric";
  const take = (number) => {
    if (number < 0n || number > MAX_SEED) return;
    own.take(String(number));
    context.changed();
  };
  const step = (by) => () => take(BigInt(own.get()) + by);
  const roll = () => take(BigInt(randomSeed()));
  const previous = button("−", step(-1n), "Previous seed");
  const next = button("+", step(1n), "Next seed");
  own.input.setAttribute("aria-label", "Seed");
  const element = card("Seed", row(previous, own.input, next));
  return { ...own, element, roll };
}

function choice(kind, { entry, changed }) {
  const chips = make("div", { className: "chips" });
  let chosen = 0;
  const inputs = Array.from({ length: kind.num_classes }, (_, i) => {
    const input = make("input", { type: "radio", name: kind.name, value: i });
    const text = entry.class_names[i] ?? String(i);
    input.setAttribute("aria-label", text);
    input.addEventListener("change", () => ((chosen = i), changed()));
    chips.append(make("label", {}, input, make("span", { textContent: text })));
    return input;
  });
  return {
    element: card("Class", chips),
    value: () => Int32Array.of(chosen),
    get: () => classToText(chosen, entry.class_names),
    set(text) {
      chosen = classFromText(text, entry.class_names, kind.num_classes);
      inputs[chosen].checked = true;
    },
  };
}

function picture(kind, { entry, page, changed }) {
  const urls = entry.inputs?.[kind.name] ?? [];
  const thumbs = make("div", { className: "thumbs", hidden: !urls.length });
  const known = [];
  let [chosen, own] = [0, null];
  const inputs = urls.map((url, i) => {
    const input = make("input", { type: "radio", name: kind.name, value: i });
    const small = makeCanvas(kind.shape);
    input.setAttribute("aria-label", `${titleOf(kind)} ${i + 1}`);
    input.addEventListener("change", () => take(i));
    thumbs.append(make("label", {}, input, small));
    known[i] = fetchPicture(url).then((bitmap) => {
      const values = toValues(bitmap, kind.shape);
      paint(small, values, kind.shape);
      known[i] = values;
      if (i === chosen) changed();
    });
    known[i].catch(page.fail);
    return input;
  });
  const id = `file-${kind.name}`;
  const file = make("input", { type: "file", id, className: "hidden", accept: "image/*" });
  file.addEventListener("change", async () => {
    try {
      own = toValues(await readPicture(file.files[0]), kind.shape);
      for (const input of inputs) input.checked = false;
      changed();
    } catch (error) {
      page.fail(error);
    }
    file.value = ""; // The same file may be taken again.
  });
  const label = make("label", { className: "button", htmlFor: id, textContent: "Your own picture …" });
  const grey = new Float32Array(sizeOf(kind.shape));
  function take(i) {
    [chosen, own] = [i, null];
    changed();
  }
  const show = (i) => inputs.forEach((input, k) => (input.checked = k === i));
  return {
    element: card(titleOf(kind), thumbs, row(file, label)),
    // Of those that came with the page none may be there yet.
    value: () => own ?? (ArrayBuffer.isView(known[chosen]) ? known[chosen] : grey),
    get: () => String(chosen),
    set(text = "0") {
      [chosen, own] = [Math.min(urls.length - 1, Math.max(0, Number(text) || 0)), null];
      show(chosen);
    },
    roll() {
      if (!urls.length) return;
      chosen = Math.floor(Math.random() * urls.length);
      show(chosen);
      take(chosen);
    },
  };
}

/** A picture of which a part is rubbed out. */
function brush(kind, { changed, picture }) {
  const [height, width] = kind.shape;
  const mask = new Float32Array(height * width);
  const canvas = makeCanvas(kind.shape);
  canvas.className = "brush";
  const area = make("div", { className: "rubbing" }, canvas);
  const size = make("input", { type: "range", min: 1, max: Math.ceil(height / 3) });
  size.value = Math.max(1, Math.round(height / 8));
  size.setAttribute("aria-label", "Size of the brush");

  /** The picture, and what is rubbed out of it in the middle of grey. */
  function refresh() {
    const under = picture();
    const channels = under ? under.length / mask.length : 1;
    const shown = Float32Array.from({ length: mask.length * channels }, (_, i) => {
      const value = under ? under[i] : -1;
      const pixel = Math.floor(i / channels);
      const checked = (Math.floor(pixel / width) + pixel) % 2 ? 0.55 : 0.85;
      return mask[pixel] ? checked : value;
    });
    paint(canvas, shown, [height, width, channels]);
  }

  function rub(across, down, radius) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if ((x + 0.5 - across) ** 2 + (y + 0.5 - down) ** 2 <= radius ** 2) mask[y * width + x] = 1;
      }
    }
    refresh();
    changed();
  }
  const follow = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    rub(x * width, y * height, Number(size.value));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) follow(event);
  });
  const clear = () => mask.fill(0);
  const buttons = row(
    button("Middle", () => rub(width / 2, height / 2, Number(size.value)), "Rub out the middle"),
    button("Nothing", () => (clear(), refresh(), changed()), "Rub out nothing"),
  );
  const words = note("Draw over the picture: what is rubbed out is made anew.");
  return {
    element: card(titleOf(kind), words, area, size, buttons),
    value: () => mask,
    get: () => undefined,
    set: clear,
    refresh,
  };
}

function words(kind, context) {
  const ids = kind.vocabulary !== null;
  if (!ids) return numbers(kind, context);
  const known = kind.words.filter(Boolean);
  const start = known.length ? known.slice(0, kind.shape[0]).join(" ") : "1";
  const own = field(kind, context, start, (text) => parseWords(text, kind));
  const some = known.slice(0, 12).join(", ") + (known.length > 12 ? ", …" : "");
  const rule = known.length ? `Words: ${some}.` : `Ids from 0 to ${kind.vocabulary - 1}.`;
  return { ...own, element: card(titleOf(kind), row(own.input), note(rule)) };
}

function numbers(kind, context) {
  const size = sizeOf(kind.shape);
  const start = Array(size).fill(0).join(" ");
  const own = field(kind, context, start, (text) => parseNumbers(text, size));
  return { ...own, element: card(titleOf(kind), row(own.input), note(`${size} numbers.`)) };
}

export const CONTROLS = { seed, choice, picture, brush, words, numbers };
