"""What are the demo shop's customers called?"""

_WOMEN = {
    "en": """
        Ada Grace Emma Olivia Sophia Ava Mia Isabella Charlotte Amelia Harper Evelyn Abigail Emily Ella
        Scarlett Chloe Victoria Riley Aria Lily Zoe Nora Hazel Lucy Maria Elena Camila Gabriela Jasmine
        Naomi Priya Mei Hannah Leah Rachel Megan Laura Katherine Jennifer Jessica Ashley Amanda Melissa
        Stephanie Nicole Andrea Diana Teresa Ruth
    """,
    "de": """
        Anna Lena Marie Sophie Laura Julia Lea Hannah Katharina Sabine Petra Claudia Monika Franziska
        Johanna Greta
    """,
    "fr": """
        Camille Léa Manon Chloé Emma Inès Sarah Julie Claire Céline Sophie Isabelle Nathalie Élodie Margaux
        Juliette
    """,
    "nl": "Emma Sanne Lotte Fleur Eva Anouk Femke Iris Marieke Saskia",
    "es": "Lucía María Paula Carmen Marta Laura Sara Elena Ana Isabel",
    "it": "Giulia Sofia Chiara Martina Francesca Elisa Paola Silvia Valentina Alessia",
    "sv": "Elsa Astrid Maja Ebba Linnea Karin Sara Ingrid",
    "da": "Ida Freja Clara Mathilde Sofie Mette Kirsten Louise",
}
_MEN = {
    "en": """
        James Liam Noah Oliver Elijah William Henry Lucas Benjamin Theodore Jack Levi Alexander Mason Ethan
        Daniel Jacob Michael Logan Jackson Sebastian Mateo Samuel David Joseph Carter Owen Wyatt John Luke
        Diego Carlos Luis Miguel Andre Marcus Raj Wei Aaron Adam Brian Kevin Jason Matthew Anthony Robert
        Thomas Charles Peter Walter
    """,
    "de": """
        Lukas Jonas Leon Felix Paul Maximilian Jan Tobias Stefan Thomas Andreas Michael Matthias Jürgen
        Moritz Emil
    """,
    "fr": """
        Lucas Hugo Louis Gabriel Arthur Jules Thomas Nicolas Antoine Julien Pierre François Mathieu Olivier
        Rémi Luc
    """,
    "nl": "Daan Sem Bram Thijs Lars Jeroen Pieter Sander Willem Ruben",
    "es": "Hugo Pablo Javier Álvaro Sergio Carlos Diego Jorge Andrés Manuel",
    "it": "Francesco Alessandro Lorenzo Matteo Andrea Marco Davide Luca Paolo Stefano",
    "sv": "Oscar Erik Axel Nils Lars Johan Anders Viktor",
    "da": "Emil Magnus Mikkel Rasmus Søren Jens Lars Anders",
}
_LAST = {
    "en": """
        Miller Smith Johnson Williams Brown Jones Garcia Davis Rodriguez Martinez Hernandez Lopez Gonzalez
        Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark
        Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams
        Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Patel Kim Chen Singh Murphy Cooper Bennett
        Hughes Foster Reyes Coleman Brooks Sullivan
    """,
    "de": """
        Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter Klein
        Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Lange Vogel Keller
    """,
    "fr": """
        Martin Bernard Dubois Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garnier
        Faure Rousseau Blanc Guérin Boyer Chevalier Gauthier Perrin Morel Fournier Girard
    """,
    "nl": "de_Jong Jansen de_Vries Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer",
    "es": """
        García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Ruiz Moreno Jiménez Navarro
        Romero
    """,
    "it": "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Fontana",
    "sv": "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Lindqvist Bergström Sandberg",
    "da": "Jensen Nielsen Hansen Pedersen Andersen Christensen Larsen Sørensen Rasmussen Holm",
}
_COMPANIES = """
Blue_Door Corner_Street North_Pier Juniper Copper_Kettle Daybreak Old_Mill Lantern Harbor_Light Red_Maple
Ninth_Avenue Willow Granite Sunny_Side Paper_Crane Fox_and_Fern Riverbend Stonebridge Marigold Station_House
Bright_Harbor Foundry Cedar_Hill Little_Owl Wild_Clover Silver_Birch Tandem Meridian Anchor Hazelwood
"""
_ENDINGS = "Cafe, Coffee Bar, Bakery, Kitchen, Offices, Studio, Hotel, Bistro, Books and Coffee, Coworking, Catering"

WOMEN = {language: found.split() for language, found in _WOMEN.items()}
MEN = {language: found.split() for language, found in _MEN.items()}
LAST = {language: [name.replace("_", " ") for name in found.split()] for language, found in _LAST.items()}

COMPANY_BEGINNINGS = [name.replace("_", " ") for name in _COMPANIES.split()]
COMPANY_ENDINGS = _ENDINGS.split(", ")
