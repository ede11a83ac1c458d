/* What is asked of an open page. Each function returns a list of problems, in words. */
window.bookChecks = (() => {
  "use strict";
  const name = (node) => {
    const at = node.id ? `#${node.id}` : [...node.classList].slice(0, 2).map((each) => `.${each}`).join("");
    const home = node.closest("section[id]");
    return node.tagName.toLowerCase() + at + (home ? ` in #${home.id}` : "");
  };
  const shown = (node) => node.checkVisibility() && node.getBoundingClientRect().height > 0;
  const frames = (count) => new Promise((done) => {
    const step = () => (count-- > 0 ? requestAnimationFrame(step) : done());
    step();
  });
  async function until(test, limitMs) {
    const end = performance.now() + limitMs;
    while (!test() && performance.now() < end) await frames(1);
    return Boolean(test());
  }

  /* Formulas are set and interactive figures drawn; these wait until they come near the window. */
  async function settle() {
    if (document.querySelector(".math")) await window.MathJax?.startup?.promise;
    const problems = [];
    for (const box of document.querySelectorAll(".lnm-interactive")) {
      box.scrollIntoView();
      const drawn = () => box.classList.contains("lnm-live") && box.querySelector(".js-plotly-plot svg.main-svg");
      if (!(await until(drawn, 20000))) problems.push(`${name(box)}: the interactive figure was not drawn`);
    }
    window.scrollTo(0, 0);
    return problems;
  }

  async function pictures() {
    const problems = [];
    for (const image of document.images) {
      image.loading = "eager";
      await until(() => image.complete, 5000);
      if (!image.complete || !image.naturalWidth) {
        problems.push(`an image is not drawn: ${image.currentSrc.slice(0, 120)}`);
      }
    }
    for (const plot of document.querySelectorAll(".js-plotly-plot")) {
      const { width, height } = plot.querySelector("svg.main-svg")?.getBoundingClientRect() ?? {};
      if (!(width > 0 && height > 0)) problems.push(`${name(plot)}: the plot has no size`);
    }
    if (document.querySelector(".math mjx-merror, .math [data-mjx-error]")) {
      problems.push("a formula could not be set");
    }
    for (const math of document.querySelectorAll(".math")) {
      if (math.textContent.trim() && !math.querySelector("mjx-container")) {
        problems.push(`a formula is not set: ${math.textContent.slice(0, 60)}`);
      }
    }
    return problems;
  }

  /* Nothing reaches over the right edge but what scrolls within its own box. */
  function overflow() {
    const limit = document.documentElement.clientWidth + 1;
    if (document.scrollingElement.scrollWidth <= limit) return [];
    const scrolls = (node) => {
      for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
        if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return true;
      }
      return false;
    };
    const wide = [...document.body.querySelectorAll("*")].filter((node) =>
      node.getBoundingClientRect().right > limit && shown(node) && !scrolls(node));
    const inner = wide.filter((node) => !wide.some((other) => other !== node && node.contains(other)));
    return [`wider than the window (${document.scrollingElement.scrollWidth} of ${limit - 1} px): ` +
      (inner.slice(0, 3).map(name).join(", ") || "unknown")];
  }

  /* Solutions, hidden code and other folded parts open and close. */
  async function folds() {
    const problems = [];
    for (const fold of document.querySelectorAll(".bd-article details")) {
      const summary = fold.querySelector(":scope > summary");
      const rest = [...fold.children].filter((child) => child !== summary);
      const seen = () => rest.some(shown);
      if (!summary || !summary.textContent.trim()) {
        problems.push(`${name(fold)}: a fold without a title`);
        continue;
      }
      const outer = [];
      for (let up = fold.parentElement.closest("details"); up; up = up.parentElement.closest("details")) {
        if (!up.open) outer.push(up);
      }
      outer.forEach((each) => { each.open = true; });
      // within what some other control shows
      const reachable = shown(summary);
      for (const expected of !reachable ? [] : [!fold.open, fold.open]) {
        summary.click();
        await frames(1);
        if (fold.open !== expected || seen() !== expected) {
          problems.push(`"${summary.textContent.trim().slice(0, 60)}" does not ${expected ? "open" : "close"}`);
        }
      }
      outer.forEach((each) => { each.open = false; });
    }
    for (const box of document.querySelectorAll(".bd-article .admonition.toggle, .bd-article .admonition.dropdown")) {
      const button = box.querySelector(".toggle-button");
      const rest = [...box.children].slice(1);
      const before = rest.some(shown);
      for (const expected of [!before, before]) {
        (button ?? box).click();
        await frames(1);
        if (!button || rest.some(shown) !== expected) {
          problems.push(`${name(box)}: does not ${expected ? "open" : "close"}`);
        }
      }
    }
    return problems;
  }

  const state = (box) => box.querySelector(".lnm-plot").innerHTML + box.querySelector(".lnm-result").innerHTML;

  /* Sliders and menus change what the figure shows; the static picture comes and goes. */
  async function controls() {
    const problems = [];
    for (const box of document.querySelectorAll(".lnm-interactive.lnm-live")) {
      for (const control of box.querySelectorAll("input[type=range], select")) {
        if (control.options && control.options.length < 2) continue;
        const before = state(box);
        if (control.options) {
          control.selectedIndex = (control.selectedIndex + 1) % control.options.length;
          control.dispatchEvent(new Event("change", { bubbles: true }));
        } else {
          control.value = Number(control.value) > (Number(control.min) + Number(control.max)) / 2
            ? control.min : control.max;
          control.dispatchEvent(new Event("input", { bubbles: true }));
        }
        if (!(await until(() => state(box) !== before, 3000))) {
          const label = control.closest("label")?.textContent ?? name(control);
          problems.push(`"${label}" does not change its figure`);
        }
      }
      const picture = box.querySelector(".lnm-static");
      const toggle = box.querySelector(".lnm-toggle");
      for (const expected of [true, false]) {
        toggle.click();
        await frames(1);
        if (shown(picture) !== expected) problems.push(`${name(box)}: the static picture does not ${expected ? "come" : "go"}`);
      }
    }
    return problems;
  }

  const counts = () => ({
    images: document.images.length,
    figures: document.querySelectorAll(".js-plotly-plot").length,
    controls: document.querySelectorAll(".lnm-interactive input, .lnm-interactive select").length,
    folds: document.querySelectorAll(".bd-article details, .bd-article .admonition.toggle").length,
    formulas: document.querySelectorAll("mjx-container").length,
  });
  return { settle, pictures, overflow, folds, controls, counts };
})();
