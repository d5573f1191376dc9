"""Colours, type and spacing of the page: system fonts, an 8-pixel grid, light and dark.

The tokens here and those in ``static/app.css`` are the page's whole palette.
"""

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes

INK = colors.Color(
    name="ink",
    c50="#f0f4f9", c100="#dde6f1", c200="#bccde2", c300="#92aecf", c400="#648bb8",
    c500="#3d6a9e", c600="#235288", c700="#194272", c800="#12335a", c900="#0c2545", c950="#071730",
)  # fmt: skip
PAPER = colors.Color(
    name="paper",
    c50="#fafaf8", c100="#f3f3f0", c200="#e5e5e0", c300="#d1d1cb", c400="#a3a39c",
    c500="#6e6e68", c600="#52524d", c700="#3a3a37", c800="#242526", c900="#18191b", c950="#101113",
)  # fmt: skip
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")
# The grid's steps by Gradio's names.
SPACING = sizes.Size(name="grid", xxs="2px", xs="4px", sm="4px", md="8px", lg="8px", xl="16px", xxl="16px")


def theme() -> gr.themes.Base:
    """The theme; it asks no host for a font."""
    return gr.themes.Base(
        primary_hue=INK,
        secondary_hue=INK,
        neutral_hue=PAPER,
        spacing_size=SPACING,
        radius_size=sizes.radius_sm,
        text_size=sizes.text_md,
        font=[fonts.Font(name) for name in SANS],
        font_mono=[fonts.Font(name) for name in MONO],
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_800",
        border_color_primary="*neutral_300",
        border_color_primary_dark="*neutral_700",
        border_color_accent="*primary_600",
        border_color_accent_dark="*primary_400",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        block_padding="0px",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_300",
        block_title_text_weight="500",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_200",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_400",
        input_border_color_dark="*neutral_600",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_300",
        input_border_width="1px",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_300",
        button_primary_background_fill_hover_dark="*primary_200",
        button_primary_text_color="white",
        button_primary_text_color_dark="*neutral_950",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_400",
        button_secondary_border_color_dark="*neutral_600",
        button_secondary_text_color="*neutral_900",
        button_secondary_text_color_dark="*neutral_100",
        button_border_width="1px",
        button_primary_border_color="transparent",
        button_primary_border_color_dark="transparent",
        button_primary_shadow="none",
        button_secondary_shadow="none",
        button_transition="background-color 120ms",
        button_medium_text_weight="500",
        button_large_text_weight="600",
        button_large_text_size="*text_md",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_border_width="1px",
        checkbox_background_color_selected="*primary_700",
        checkbox_background_color_selected_dark="*primary_400",
        checkbox_border_color_selected="*primary_700",
        checkbox_border_color_selected_dark="*primary_400",
        slider_color="*primary_700",
        slider_color_dark="*primary_300",
        layout_gap="16px",
        form_gap_width="16px",
    )
