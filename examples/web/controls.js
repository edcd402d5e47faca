// Parts that both kinds of models have.

/** Wires a slider and the number beside it; returns a function that sets it. */
export function slider(page, id, onInput, format = (value) => value.toFixed(2)) {
  const input = page.find(id);
  const output = input.parentElement.querySelector("output");
  const show = () => output && (output.textContent = format(Number(input.value)));
  input.addEventListener("input", () => {
    show();
    onInput(Number(input.value));
  });
  return (value) => {
    input.value = value;
    show();
  };
}

/** A radio button for each label; `content` makes what is seen of it. */
export function radios(container, name, labels, content, onChoice) {
  const inputs = labels.map((label, index) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name, value: index });
    input.setAttribute("aria-label", label);
    input.addEventListener("change", () => onChoice(index));
    const wrapper = document.createElement("label");
    wrapper.append(input, content(index));
    container.append(wrapper);
    return input;
  });
  return (index) => inputs.forEach((input, i) => (input.checked = i === index));
}

/** A button that moves a number from 0 to 1 and back, again and again, until it is stopped. */
export function player(page, get, set) {
  const SECONDS = 3; // one way
  const button = page.find("play");
  let playing = false;

  function toggle(on = !playing) {
    playing = on;
    button.setAttribute("aria-pressed", String(on));
    button.firstChild.textContent = on ? "Pause " : "Play ";
    if (!on) return;
    // A cosine is slow at both ends, so that A and B can be seen.
    const begin = performance.now() - (Math.acos(1 - 2 * get()) / Math.PI) * SECONDS * 1000;
    const step = (now) => {
      if (!playing) return;
      const turns = Math.max(0, now - begin) / 1000 / SECONDS;
      set((1 - Math.cos(Math.PI * turns)) / 2);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  button.addEventListener("click", () => toggle());
  return { toggle, stop: () => toggle(false) };
}

/** Runs jobs one after the other, and lets the page answer its user in between. */
export async function inTurn(jobs, isStale) {
  let last = performance.now();
  for (const job of jobs) {
    if (isStale()) return;
    await job();
    if (performance.now() - last > 12) {
      await new Promise((resolve) => setTimeout(resolve));
      last = performance.now();
    }
  }
}

/** A number from an address within its bounds, or what stands in for it. */
export function numberFrom(text, minimum, maximum, otherwise) {
  const value = text === undefined || text === "" ? NaN : Number(text);
  return value >= minimum && value <= maximum ? value : otherwise;
}

/** What the address has for a class: its number, or its name where names are numbers too. */
export function classToText(label, names) {
  return names.some((name) => /^\d+$/.test(name)) ? (names[label] ?? String(label)) : String(label);
}

/** The class that an address means, a name before a number; the first one where it means none. */
export function classFromText(text, names, count) {
  const named = names.indexOf(text);
  return named >= 0 ? named : Math.floor(numberFrom(text, 0, Math.max(0, count - 1), 0));
}

export const randomSeed = () => String(Math.floor(Math.random() * 1e6));
