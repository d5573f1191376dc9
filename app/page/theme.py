"""Colours, type and spacing of the page: system fonts, an 8-pixel grid, light and dark.

This is the page's whole palette. ``static/app.css`` names its tokens, and the view takes those over.
"""

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes

# From the lightest (50) to the darkest (950).
INK = colors.Color(
    *("#f0f5fc", "#deeafa", "#c2d8f5", "#9cc0ec", "#74a3de", "#4a80c4"),
    *("#2f63a8", "#1f4e8c", "#183f73", "#12305a", "#0a1f3d"),
    name="ink",
)
SLATE = colors.Color(
    *("#f8f9fa", "#f1f3f5", "#e6e9ed", "#d6dae0", "#99a2ae", "#6c7581"),
    *("#535d69", "#3b434d", "#21262d", "#171a1f", "#101215"),
    name="slate",
)
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")
RADII = sizes.Size(name="radii", xxs="2px", xs="4px", sm="6px", md="6px", lg="6px", xl="10px", xxl="10px")
# The grid's steps by Gradio's names.
SPACING = sizes.Size(name="grid", xxs="2px", xs="4px", sm="4px", md="8px", lg="8px", xl="16px", xxl="16px")

#: What every control is framed by: three times as dark, or light, as the card that it stands on.
EDGES = ("#8a94a1", "#5f6a77")
#: Colours by Gradio's names: on a light and on a dark page.
COLOURS = {
    "body_background_fill": ("*neutral_50", "*neutral_950"),
    "body_text_color": ("*neutral_900", "*neutral_100"),
    "body_text_color_subdued": ("*neutral_600", "*neutral_400"),
    "background_fill_primary": ("white", "*neutral_900"),
    "background_fill_secondary": ("*neutral_100", "*neutral_800"),
    "border_color_primary": ("*neutral_300", "*neutral_700"),
    "border_color_accent": ("*primary_600", "*primary_400"),
    "block_background_fill": ("transparent", "transparent"),
    "block_label_background_fill": ("transparent", "transparent"),
    "block_label_text_color": ("*neutral_700", "*neutral_300"),
    "block_title_text_color": ("*neutral_800", "*neutral_200"),
    "block_info_text_color": ("*neutral_600", "*neutral_400"),
    "input_background_fill": ("white", "*neutral_900"),
    "input_border_color": EDGES,
    "input_border_color_focus": ("*primary_600", "*primary_300"),
    "input_placeholder_color": ("*neutral_500", "*neutral_400"),
    "button_primary_background_fill": ("*primary_700", "*primary_300"),
    "button_primary_background_fill_hover": ("*primary_800", "*primary_200"),
    "button_primary_text_color": ("white", "*neutral_950"),
    "button_primary_border_color": ("transparent", "transparent"),
    "button_secondary_background_fill": ("white", "*neutral_800"),
    "button_secondary_background_fill_hover": ("*neutral_100", "*neutral_700"),
    "button_secondary_border_color": EDGES,
    "button_secondary_text_color": ("*neutral_900", "*neutral_100"),
    "checkbox_label_border_color": EDGES,
    "checkbox_border_color": EDGES,
    "checkbox_label_background_fill": ("transparent", "transparent"),
    "checkbox_background_color_selected": ("*primary_700", "*primary_400"),
    "checkbox_border_color_selected": ("*primary_700", "*primary_400"),
    "slider_color": ("*primary_700", "*primary_300"),
}
#: Lines, shadows, weights and gaps, the same on both.
SHAPES = {
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_label_border_width": "0px",
    "block_title_text_weight": "500",
    "input_border_width": "1px",
    "input_padding": "7px 12px",
    "button_border_width": "1px",
    "button_primary_shadow": "none",
    "button_secondary_shadow": "none",
    "button_transition": "background-color 120ms",
    "button_medium_text_weight": "500",
    "button_large_text_weight": "600",
    "button_large_text_size": "*text_md",
    "checkbox_label_border_width": "1px",
    "layout_gap": "16px",
    "form_gap_width": "16px",
}


def theme() -> gr.themes.Base:
    """The theme; it asks no host for a font."""
    light = {name: colour for name, (colour, _) in COLOURS.items()}
    dark = {f"{name}_dark": colour for name, (_, colour) in COLOURS.items()}
    return gr.themes.Base(
        primary_hue=INK,
        secondary_hue=INK,
        neutral_hue=SLATE,
        spacing_size=SPACING,
        radius_size=RADII,
        text_size=sizes.text_md,
        font=[fonts.Font(name) for name in SANS],
        font_mono=[fonts.Font(name) for name in MONO],
    ).set(**light, **dark, **SHAPES)
