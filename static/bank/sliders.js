// Sliders beside the amount and the months of a loan; what counts is what stands in the fields.

const form = document.querySelector("form[data-bounds]");
if (form) {
  const bounds = JSON.parse(form.dataset.bounds);
  const fields = { amount: form.elements.amount, months: form.elements.months };
  const sliders = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, beside(field)]));

  function beside(field) {
    const slider = document.createElement("input");
    slider.type = "range";
    slider.className = "mt-3 block w-full accent-primary";
    slider.setAttribute("aria-label", form.querySelector(`label[for="${field.id}"]`).textContent.trim());
    slider.addEventListener("input", () => (field.value = slider.value));
    field.addEventListener("input", () => show(slider, field));
    field.after(slider);
    return slider;
  }

  function show(slider, field) {
    const typed = Number(field.value.replaceAll(/[,\s]/g, ""));
    slider.value = typed || slider.min;
  }

  function rule() {
    const found = bounds[form.elements.product.value]?.[form.elements.account.value];
    for (const [name, slider] of Object.entries(sliders)) {
      slider.hidden = !found;
      if (!found) continue;
      const [least, most] = found[name];
      const step = name === "months" ? 1 : 10 ** Math.max(0, Math.floor(Math.log10(most / 100)));
      Object.assign(slider, { min: least, max: most, step });
      show(slider, fields[name]);
    }
  }

  form.addEventListener("change", rule);
  rule();
}
