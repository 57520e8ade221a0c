# SPDX-License-Identifier: GPL-2.0
#
# For sphinx-build, which Documentation/Makefile calls.
project = "udma"
author = "udma developers"
release = "0.1.0"

language = "en"
primary_domain = "c"
highlight_language = "none"
html_theme = "alabaster"
html_show_copyright = False
html_show_sphinx = False
