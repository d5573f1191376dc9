"""The guided tour's dialog; its steps and behaviour are in ``static/tour.js``."""

import gradio as gr

DIALOG = """
<dialog id="tour" class="dx-tour" aria-labelledby="tour-title">
  <p class="dx-tour-count"></p>
  <p class="dx-tour-title" id="tour-title"></p>
  <p class="dx-tour-text" aria-live="polite"></p>
  <div class="dx-tour-buttons">
    <button type="button" class="dx-tour-act"></button>
    <span class="dx-tour-space"></span>
    <button type="button" class="dx-tour-close">Close</button>
    <button type="button" class="dx-tour-back">Back</button>
    <button type="button" class="dx-tour-next">Next</button>
  </div>
</dialog>
"""


def build() -> gr.HTML:
    return gr.HTML(DIALOG, elem_id="tour-place", apply_default_css=False)
