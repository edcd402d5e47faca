// Pictures between networks, which work on H x W x C numbers in [-1, 1], and canvases.

/** Draws a network's picture on a canvas, one canvas pixel to each, at (left, top). */
export function paint(canvas, values, [height, width, channels], left = 0, top = 0) {
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = values[pixel * channels + (channels === 1 ? 0 : channel)];
      // The array rounds half to even and clips, as `keras_gans.images.to_uint8` does.
      image.data[4 * pixel + channel] = (value + 1) * 127.5;
    }
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, left, top);
}

/** A picture (an image, a bitmap) as a network takes it: the square in its middle, resized. */
export function toValues(picture, [height, width, channels]) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const scale = Math.max(width / picture.width, height / picture.height);
  const [scaledWidth, scaledHeight] = [picture.width * scale, picture.height * scale];
  context.fillStyle = "white"; // under pictures that are transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  const [left, top] = [(width - scaledWidth) / 2, (height - scaledHeight) / 2];
  context.drawImage(picture, left, top, scaledWidth, scaledHeight);
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Float32Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [red, green, blue] = data.subarray(4 * pixel, 4 * pixel + 3);
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    const levels = channels === 1 ? [grey] : [red, green, blue];
    values.set(levels.map((level) => level / 127.5 - 1), pixel * channels);
  }
  return values;
}

/** Fetches a picture that came with the page. */
export async function fetchPicture(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}.`);
  return createImageBitmap(await response.blob());
}

/** Reads a picture of the user's; it stays in the browser. */
export async function readPicture(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error(`“${file.name}” is no picture that this browser can read.`);
  }
}

/**
 * Saves canvases side by side as a PNG file, each pixel enlarged to a square of several. Smaller
 * ones are as large as the largest.
 */
export function downloadPng(canvases, name, size = 512) {
  const [width, height] = ["width", "height"].map((side) =>
    Math.max(...canvases.map((canvas) => canvas[side])),
  );
  const scale = Math.max(1, Math.floor(size / Math.max(width, height)));
  const sheet = document.createElement("canvas");
  sheet.width = canvases.length * width * scale;
  sheet.height = height * scale;
  const context = sheet.getContext("2d");
  context.imageSmoothingEnabled = false;
  canvases.forEach((canvas, i) =>
    context.drawImage(canvas, i * width * scale, 0, width * scale, height * scale),
  );
  sheet.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

/** A canvas of a size in pixels, with a name for screen readers. */
export function makeCanvas([height, width], label) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  if (label) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
  } else {
    canvas.setAttribute("aria-hidden", "true");
  }
  return canvas;
}
